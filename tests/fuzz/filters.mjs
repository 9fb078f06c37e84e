// Answers, line by line, what the inbox finds: {filter} to {error, seqs}; {instant} to {instant}.

import { createInterface } from "node:readline";
import { readFileSync } from "node:fs";

const { compileFilter, parseInstant } = await import(process.argv[2]);
const bytes = (text) => new TextEncoder().encode(text);
const { rows } = JSON.parse(readFileSync(process.argv[3], "utf-8"));
const held = rows.map(({ headers_json: headers, body, ...row }) => [
  { ...row, received_at: parseInstant(row.received_at), marks: 0, body_bytes: bytes(body).length },
  { headers, body: bytes(body), masked: false },
]);

function found(filter) {
  const { error, test } = compileFilter(filter);
  if (error) return { error: true };
  return { seqs: held.filter(([row, detail]) => test(row, detail)).map(([row]) => row.seq) };
}

for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  const answer = "filter" in asked ? found(asked.filter) : { instant: parseInstant(asked.instant) };
  process.stdout.write(JSON.stringify(answer) + "\n");
}
