// What both programs here have in common: URLs come in, what each login finds goes out.
import { createInterface } from "node:readline";

export const { QUERY, ROUNDS, POOLED } = process.env;

export async function tell(login) {
  for await (const url of createInterface({ input: process.stdin })) {
    let told;
    try {
      told = { found: JSON.parse(await login(url)) };
    } catch (fault) {
      const { code, name, message } = fault.cause ?? fault;
      told = { refused: `${code ?? name}: ${message}` };
    }
    console.log(JSON.stringify(told));
  }
}
