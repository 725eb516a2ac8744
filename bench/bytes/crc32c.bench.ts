/**
 * How fast is the checksum, against the table-driven method that handles a byte at a time?
 *
 * CPU only, so Benchmark.js does the sampling. Not measured: reading the bytes from anywhere.
 */
import Benchmark from "benchmark";
import { crc32c } from "#bytes";
import type { Bench } from "../harness/index.ts";

const POLYNOMIAL = 0x82f6_3b78;
/** What a record of the log has, what a page has, and what no longer fits the first cache level. */
const SIZES = [200, 1024, 65_536];

export function checksumSpeed(bench: Bench): void {
  const seconds = bench.parameter("secondsPerSample", { small: 0.02, canonical: 0.5 });
  const table = makeTable();
  for (const bytes of SIZES) {
    const input = Uint8Array.from({ length: bytes }, (_, i) => (i * 31) & 0xff);
    bench.work(String(crc32c(input)));
    if (crc32c(input) !== oneByteAtATime(table, input)) throw new Error("bench: checksums differ");
    const rates = new Map<string, number>();
    new Benchmark.Suite()
      .add("cairn", () => crc32c(input), { maxTime: seconds, minTime: seconds / 4 })
      .add("table", () => oneByteAtATime(table, input), { maxTime: seconds, minTime: seconds / 4 })
      .on("cycle", (event: Benchmark.Event) => {
        rates.set(event.target.name!, event.target.hz! * bytes);
      })
      .run();
    bench.figure(`crc32c of ${bytes} bytes`, rates.get("cairn")! / 1e6, "MB/s");
    bench.ratio(`crc32c of ${bytes} bytes`, {
      subject: rates.get("cairn")!,
      peer: rates.get("table")!,
      peerName: "one table, a byte at a time",
    });
  }
}

function makeTable(): Int32Array {
  return Int32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    return crc;
  });
}

function oneByteAtATime(table: Int32Array, bytes: Uint8Array): number {
  let crc = -1;
  for (let i = 0; i < bytes.length; i += 1) crc = (crc >>> 8) ^ table[(crc ^ bytes[i]!) & 0xff]!;
  return ~crc >>> 0;
}
