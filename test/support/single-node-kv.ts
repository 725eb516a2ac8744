/**
 * The key-value store of one node without a log, for tests of HTTP: each command is one entry, as
 * if it were the log's next.
 */
import { createSimulatedClock, createSimulatedDisk, seededRandom } from "#platform";
import {
  checkKey,
  checkRange,
  decodeKvAnswer,
  encodeKvCommand,
  type KvMachine,
  openKvMachine,
} from "#replica";
import type { KvService } from "#server/types";

const SERVED_BY = "127.0.0.1:4001";

/** @param check - throws what the cluster would throw. */
export function createSingleKv(check: (needsLeader: boolean) => void): KvService {
  let opening: Promise<KvMachine> | undefined;
  const open = (): Promise<KvMachine> => {
    opening ??= openKvMachine({
      dir: "kv",
      disk: createSimulatedDisk(),
      clock: createSimulatedClock(),
      random: seededRandom(1),
    });
    return opening;
  };
  return {
    async execute(command) {
      const payload = encodeKvCommand(command);
      check(true);
      const machine = await open();
      const index = machine.appliedIndex() + 1;
      const timeMs = 1_700_000_000_000 + index;
      const sealed = { index, term: 1, kind: "command" as const, timeMs, seed: 1n };
      const outcome = machine.applyBatch([{ ...sealed, payload, proposalId: index }]);
      const [results] = await outcome;
      const bytes = results ?? new Uint8Array(0);
      const served = { results: bytes, raftIndex: index, servedBy: SERVED_BY };
      return { ...served, value: decodeKvAnswer(bytes) };
    },
    async query(read, options) {
      if (read.kind === "get") checkKey(read.key);
      else checkRange(read);
      check(options.level !== "none");
      const value = (await open()).read(read);
      return { results: new Uint8Array(0), raftIndex: 0, servedBy: SERVED_BY, value };
    },
  };
}
