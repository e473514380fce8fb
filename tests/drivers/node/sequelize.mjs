// Sequelize.
import { DataTypes, QueryTypes, Sequelize } from "sequelize";
import { QUERY, ROUNDS, tell } from "./told.mjs";

await tell(async (url) => {
  const sequelize = new Sequelize(url, { logging: false });
  const words = { word: { type: DataTypes.TEXT, primaryKey: true } };
  const Marker = sequelize.define("marker", words, { tableName: "marker", timestamps: false });
  try {
    let row, marker;
    for (let round = 0; round < ROUNDS; round++) {
      [row] = await sequelize.query(QUERY, { type: QueryTypes.SELECT });
      marker = await Marker.findOne();
    }
    return JSON.stringify({ ...JSON.parse(row.json_build_object), marker: marker.word });
  } finally {
    await sequelize.close();
  }
});
