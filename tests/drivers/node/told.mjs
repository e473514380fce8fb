// What both programs here have in common: URLs come in, what each login finds goes out.
import { createInterface } from "node:readline";

export const { QUERY, ROUNDS, POOLED } = process.env;

export async function tell(login) {
  for await (const url of createInterface({ input: process.stdin })) {
    let told;
    try {
      told = { found: JSON.parse(await login(url)) };
    } catch (fault) {
      told = { refused: `${fault.code ?? fault.name}: ${fault.message}` };
    }
    console.log(JSON.stringify(told));
  }
}
