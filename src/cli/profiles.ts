/**
 * `-cpu-profile` and `-mem-profile`: what the main thread did, for Node's own tools.
 *
 * A CPU profile runs from the start to the stop; a heap snapshot is taken at the stop. Both open in
 * the developer tools of Chromium. Invariant: a profile that cannot be written is told, and never
 * keeps a node from stopping.
 */
import { Session } from "node:inspector/promises";
import { errorText } from "#base";
import { createNodeDisk } from "#platform";
import type { NodeConfig } from "#server/types";

/** What is being recorded. */
export interface Profiles {
  /** Ends recording and writes the files. */
  write(): Promise<void>;
}

/** Begins to record what the configuration asks for. */
export async function startProfiles(
  { cpuProfilePath, memoryProfilePath }: NodeConfig,
  onProblem: (text: string) => void,
): Promise<Profiles> {
  if (cpuProfilePath === "" && memoryProfilePath === "") return { write: async () => undefined };
  const session = new Session();
  session.connect();
  if (cpuProfilePath !== "") {
    await session.post("Profiler.enable");
    await session.post("Profiler.start");
  }
  const attempt = async (path: string, make: () => Promise<string>): Promise<void> => {
    if (path === "") return;
    try {
      writeText(path, await make());
    } catch (error) {
      onProblem(`profile ${path}: ${errorText(error)}`);
    }
  };
  return {
    async write() {
      await attempt(cpuProfilePath, async () =>
        JSON.stringify((await session.post("Profiler.stop")).profile),
      );
      await attempt(memoryProfilePath, () => heapSnapshot(session));
      session.disconnect();
    },
  };
}

async function heapSnapshot(session: Session): Promise<string> {
  const chunks: string[] = [];
  session.on("HeapProfiler.addHeapSnapshotChunk", ({ params }) => chunks.push(params.chunk));
  await session.post("HeapProfiler.takeHeapSnapshot");
  return chunks.join("");
}

function writeText(path: string, text: string): void {
  const file = createNodeDisk().open(path, "read-write");
  try {
    const bytes = new TextEncoder().encode(text);
    file.truncate(0);
    file.write(0, bytes);
    file.sync();
  } finally {
    file.close();
  }
}
