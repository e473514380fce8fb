// TypeORM.
import { DataSource, EntitySchema } from "typeorm";
import { QUERY, ROUNDS, tell } from "./told.mjs";

const Marker = new EntitySchema({ name: "marker", columns: { word: { type: "text", primary: true } } });

await tell(async (url) => {
  const source = await new DataSource({ type: "postgres", url, entities: [Marker] }).initialize();
  try {
    let row, marker;
    for (let round = 0; round < ROUNDS; round++) {
      [row] = await source.query(QUERY);
      [marker] = await source.getRepository(Marker).find();
    }
    return JSON.stringify({ ...JSON.parse(row.json_build_object), marker: marker.word });
  } finally {
    await source.destroy();
  }
});
