// Drizzle with node-postgres.
import { sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/node-postgres";
import { pgTable, text } from "drizzle-orm/pg-core";
import { QUERY, ROUNDS, tell } from "./told.mjs";

const markers = pgTable("marker", { word: text() });

await tell(async (url) => {
  const db = drizzle(url);
  try {
    let found, marker;
    for (let round = 0; round < ROUNDS; round++) {
      found = (await db.execute(sql.raw(QUERY))).rows[0].json_build_object;
      [marker] = await db.select().from(markers);
    }
    return JSON.stringify({ ...JSON.parse(found), marker: marker.word });
  } finally {
    await db.$client.end();
  }
});
