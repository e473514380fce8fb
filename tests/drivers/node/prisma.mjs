// Prisma, whose driver has to be told the schema that its URL names.
import { PrismaPg } from "@prisma/adapter-pg";
import { PrismaClient } from "./generated/index.js";
import { QUERY, ROUNDS, tell } from "./told.mjs";

await tell(async (url) => {
  const schema = new URL(url).searchParams.get("schema") ?? undefined;
  const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: url }, { schema }) });
  try {
    let row, marker;
    for (let round = 0; round < ROUNDS; round++) {
      [row] = await prisma.$queryRawUnsafe(QUERY);
      marker = await prisma.marker.findFirst();
    }
    return JSON.stringify({ ...JSON.parse(row.json_build_object), marker: marker.word });
  } finally {
    await prisma.$disconnect();
  }
});
