// node-postgres.
import pg from "pg";
import { QUERY, ROUNDS, tell } from "./told.mjs";

await tell(async (url) => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    let found;
    for (let round = 0; round < ROUNDS; round++) {
      const { rows } = await client.query({ text: QUERY, rowMode: "array" });
      found = rows[0][0];
    }
    return found;
  } finally {
    await client.end();
  }
});
