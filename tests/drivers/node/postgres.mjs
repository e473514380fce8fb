// postgres.js.
import postgres from "postgres";
import { POOLED, QUERY, ROUNDS, tell } from "./told.mjs";

await tell(async (url) => {
  const sql = postgres(url, { max: 1, prepare: !POOLED });
  try {
    let found;
    for (let round = 0; round < ROUNDS; round++) {
      [[found]] = await sql.unsafe(QUERY, [], { prepare: !POOLED }).values();
    }
    return found;
  } finally {
    await sql.end();
  }
});
