// knex, which leaves it to node-postgres to read the URL.
import knex from "knex";
import { QUERY, ROUNDS, tell } from "./told.mjs";

await tell(async (url) => {
  const db = knex({ client: "pg", connection: { connectionString: url }, log: { warn() {} } });
  try {
    let found, marker;
    for (let round = 0; round < ROUNDS; round++) {
      found = (await db.raw(QUERY)).rows[0].json_build_object;
      marker = await db("marker").first();
    }
    return JSON.stringify({ ...JSON.parse(found), marker: marker.word });
  } finally {
    await db.destroy();
  }
});
