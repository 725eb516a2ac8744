/**
 * How long does it take to read the body of a request, against `JSON.parse` of the same text?
 *
 * Bodies of one to ten megabytes, each of another awkward shape: many statements, many values, many
 * names, a blob byte by byte, one long text. The fastest of several runs counts. A parser that
 * looks at something twice for each thing it reads would show as hundreds of times. No disk, no
 * network.
 */
import { parseStatements } from "#server";
import type { Bench } from "../harness/index.ts";

/** A few times: `JSON.parse` is native, and makes fewer objects. */
const SLOWER_THAN_JSON_MAX = 15;
const NANOSECONDS_PER_MILLISECOND = 1e6;

const ROW = '["INSERT INTO t(a, b) VALUES(?, ?)", 12345678, "some text that is not short"]';
const names = (count: number): string =>
  Array.from({ length: count }, (_, index) => `"n${index}": 1`).join(",");
const many = (text: string, count: number): string => Array(count).fill(text).join(",");

/** Bodies by shape; at size 1000 they have one to ten megabytes. */
function bodiesOf(size: number): Readonly<Record<string, string>> {
  return {
    "many statements": `[${many(ROW, size * 130)}]`,
    "one statement with many values": `[["S", ${many("12345.5", size * 100)}]]`,
    "one object with many names": `[["S", {${names(size * 40)}}]]`,
    "many objects with one name": `[["S", ${many('{"n": 1}', size * 80)}]]`,
    "one blob, byte by byte": `[["S", [${many("127", size * 200)}]]]`,
    "one long text": `["S", "${"x".repeat(size * 1000)}"]`,
    "one text of escapes": `["S", "${"\\n".repeat(size * 500)}"]`,
  };
}

export async function bodiesAgainstJson(bench: Bench): Promise<void> {
  const size = bench.parameter("size", { small: 10, canonical: 1000 });
  const runs = bench.parameter("runs", { small: 1, canonical: 5 });
  for (const [shape, body] of Object.entries(bodiesOf(size))) {
    const fastest = (run: () => unknown): number =>
      Math.min(
        ...Array.from({ length: runs }, () => {
          const start = bench.now();
          run();
          return bench.now() - start;
        }),
      );
    const peer = fastest(() => JSON.parse(body));
    const subject = fastest(() => parseStatements(body));
    bench.work(`${shape} ${body.length} ${parseStatements(body).length}`);
    bench.figure(shape, subject / NANOSECONDS_PER_MILLISECOND, "ms");
    const of = { subject, peer, peerName: "JSON.parse" };
    bench.ratio(`${shape}: reading`, of, { atMost: SLOWER_THAN_JSON_MAX });
  }
}
