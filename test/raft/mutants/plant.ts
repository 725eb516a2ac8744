/**
 * Makes a mutant: a copy of the sources with a planted mistake, loaded beside the real ones.
 *
 * A copied core can be made mute: its own assertions are gone. It then goes on where the real one
 * would have stopped by itself, and only the simulator's checks are left to notice.
 * Chapter: 11-simulation.
 */
import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createRaftCore } from "#raft";
import type { RaftModule } from "#raft/types";
import * as simulation from "#simulation";
import * as sqlite from "#sqlite";
import { inCopy, load, patched, plantMistake, plantStack, ROOT } from "../../support/plant.ts";
import type { Mutant } from "./types.ts";

/** What runs a mutant: the planted module, and the real one for the rest. */
export interface Laboratory {
  readonly createRaftCore: RaftModule["createRaftCore"];
  readonly drawPlan: typeof simulation.drawPlan;
  readonly runPlan: typeof simulation.runPlan;
  readonly runScenario: typeof simulation.runScenario;
  readonly sqlite: typeof sqlite;
}

/** Nothing is planted. */
export const SOUND: Laboratory = { ...simulation, createRaftCore, sqlite };
/** `import { a, assert, b } from "#base";` */
const BASE_IMPORT = /import \{([^}]*)\} from "#base";/;
const MUTE = "const assert = (..._: readonly unknown[]): void => undefined;";

/** Plants the mistake. @param isMute - a core's own assertions are taken out as well. */
export async function plant(mutant: Mutant, isMute = false): Promise<Laboratory> {
  const { module = "raft", patches } = mutant;
  switch (module) {
    case "sqlite":
      return { ...SOUND, sqlite: await plantMistake<typeof sqlite>("sqlite", patches) };
    case "raft":
      return { ...SOUND, createRaftCore: (await plantCore(mutant, isMute)).createRaftCore };
    case "simulation":
      return {
        ...SOUND,
        ...(await plantMistake<Laboratory>("simulation", patches)),
        createRaftCore,
      };
    case "wal":
    case "replica": {
      const planted = patches.map((patch) => ({ module, ...patch }));
      const stack = await plantStack<Laboratory>("simulation", planted, ["replica"]);
      return { ...SOUND, runScenario: stack.runScenario };
    }
  }
}

function plantCore({ patches }: Mutant, isMute: boolean): Promise<RaftModule> {
  if (!isMute) return plantMistake<RaftModule>("raft", patches);
  return inCopy("mute-core", async (dir) => {
    cpSync(join(ROOT, "src/raft"), dir, { recursive: true });
    for (const patch of patches) {
      const path = join(dir, patch.file);
      writeFileSync(path, patched(readFileSync(path, "utf8"), `src/raft/${patch.file}`, patch));
    }
    for (const file of readdirSync(dir)) mute(join(dir, file));
    return load<RaftModule>(dir);
  });
}

/** Takes the assertions out of a file. */
function mute(path: string): void {
  const text = readFileSync(path, "utf8");
  const names = BASE_IMPORT.exec(text)?.[1]
    ?.split(",")
    .map((name) => name.trim());
  if (names?.includes("assert") !== true) return;
  const rest = names.filter((name) => name !== "assert" && name !== "");
  const kept = rest.length === 0 ? "" : `import { ${rest.join(", ")} } from "#base";\n`;
  writeFileSync(path, text.replace(BASE_IMPORT, `${kept}${MUTE}`));
}
