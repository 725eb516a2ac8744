/**
 * The last inputs of a core, for a post-mortem.
 *
 * The core is a pure function of its start, its draws of chance and its inputs. As long as all
 * inputs since the start are kept, the recording can be fed to another core, which then does
 * exactly what this one did, up to the step that broke. Afterwards the last ones are kept for
 * people. JSON: it is read by people too. Invariant: what was recorded is what was fed, in order.
 * Chapter: 08-replica.
 */
import { type Bytes, CairnError, type Ms } from "#base";
import { createRaftCore } from "#raft";
import type { Input, Output, RaftBootState, RaftOptions } from "#raft/types";

/** A few megabytes of small objects; under load some seconds, at rest some hours. */
const INPUTS_MAX = 16_384;

type PlainOptions = Omit<RaftOptions, "random">;

interface Line {
  readonly now: Ms;
  readonly input: Input;
}

/** A decoded recording. */
export interface Recording {
  readonly startedAt: Ms;
  readonly options: PlainOptions;
  readonly boot: RaftBootState;
  /** What chance said, in order. */
  readonly draws: readonly number[];
  /** Inputs before the first one here that are not kept any more. */
  readonly dropped: number;
  readonly inputs: readonly Line[];
}

/** See the file's header. */
export class InputRecorder {
  readonly #start: Pick<Recording, "startedAt" | "options" | "boot">;
  #draws: number[] = [];
  /** A ring: the oldest is at `#count % INPUTS_MAX` once it is full. */
  readonly #ring: Line[] = [];
  #count = 0;

  constructor(start: Pick<Recording, "startedAt" | "options" | "boot">) {
    this.#start = start;
  }

  draw(value: number): number {
    if (this.#count <= INPUTS_MAX) this.#draws.push(value);
    else this.#draws = [];
    return value;
  }

  note(now: Ms, input: Input): void {
    this.#ring[this.#count % INPUTS_MAX] = { now, input };
    this.#count += 1;
  }

  encode(): Bytes {
    const at = this.#count % INPUTS_MAX;
    const isWhole = this.#count <= INPUTS_MAX;
    const inputs = isWhole ? this.#ring : [...this.#ring.slice(at), ...this.#ring.slice(0, at)];
    const recording: Recording = {
      ...this.#start,
      draws: this.#draws,
      dropped: this.#count - inputs.length,
      inputs,
    };
    return new TextEncoder().encode(JSON.stringify(recording));
  }
}

/**
 * Decodes a recording.
 *
 * @throws `BYTES_MALFORMED`
 */
export function decodeInputs(bytes: Bytes): Recording {
  try {
    const value = JSON.parse(new TextDecoder().decode(bytes)) as Recording;
    if (Array.isArray(value.inputs) && Array.isArray(value.draws)) return value;
  } catch (error) {
    throw new CairnError("BYTES_MALFORMED", "replica: not a recording", { cause: error });
  }
  throw new CairnError("BYTES_MALFORMED", "replica: not a recording of inputs");
}

/**
 * Feeds a recording to a fresh core; `onStep` sees each input and what came out.
 *
 * @throws `BYTES_MALFORMED` when its beginning is not kept; what the core throws, as it threw then.
 */
export function replayInputs(
  recording: Recording,
  onStep: (line: Line, outputs: readonly Output[]) => void,
): void {
  if (recording.dropped > 0) {
    const text = `replica: ${recording.dropped} inputs before the recording are not kept`;
    throw new CairnError("BYTES_MALFORMED", text);
  }
  const draws = recording.draws[Symbol.iterator]();
  const random = (): number => {
    const { value } = draws.next();
    // A core that draws more than it did then does something else than it did then.
    if (value === undefined) throw new CairnError("BYTES_MALFORMED", "replica: draws ran out");
    return value;
  };
  const core = createRaftCore(
    { ...recording.options, random },
    recording.boot,
    recording.startedAt,
  );
  for (const line of recording.inputs) {
    const outputs: Output[] = [];
    core.step(line.now, line.input, outputs);
    onStep(line, outputs);
  }
}
