/**
 * The door between one node and the world's clock and net: it holds everything back while the node
 * is paused, and lets nothing through to a process that is dead.
 *
 * Invariant: what is held comes in its old order; what was for an earlier life never comes.
 * Chapter: 11-simulation.
 */
import type { Bytes, Cancel, Ms } from "#base";
import type { Clock, Net } from "#platform/types";

/** See the file's header. */
export class Gate {
  readonly #clock: Clock;
  #held: (() => void)[] = [];
  #life = 0;
  #isPaused = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Ends the life that is, and whatever is held with it. @returns the number of the next. */
  nextLife(): number {
    this.#life += 1;
    this.#held = [];
    this.#isPaused = false;
    return this.#life;
  }

  isAlive(life: number): boolean {
    return life === this.#life;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    // One that is woken may end the life of all that come after it.
    for (let next = this.#held.shift(); next !== undefined; next = this.#held.shift()) next();
  }

  /** Does it now, later, or never. */
  pass(life: number, work: () => void): void {
    if (!this.isAlive(life)) return;
    if (this.#isPaused) this.#held.push(() => this.pass(life, work));
    else work();
  }

  /** The clock of one life. */
  clock(life: number): Clock {
    const clock = this.#clock;
    const gated = (set: (f: () => void) => Cancel, f: () => void): Cancel => {
      let isCancelled = false;
      const cancel = set(() =>
        this.pass(life, () => {
          if (!isCancelled) f();
        }),
      );
      return () => {
        isCancelled = true;
        cancel();
      };
    };
    return {
      now: () => clock.now(),
      wallTime: () => clock.wallTime(),
      after: (ms: Ms, f) => gated((run) => clock.after(ms, run), f),
      whenIdle: (f) => gated((run) => clock.whenIdle(run), f),
    };
  }

  /** The net of one life. */
  net(life: number, net: Net, onFrame: (from: number, frame: Bytes) => void): Net {
    return {
      send: (to, parts) => {
        if (this.isAlive(life)) net.send(to, parts);
      },
      onFrame: (receive) =>
        net.onFrame((from, frame) =>
          this.pass(life, () => {
            onFrame(from, frame);
            receive(from, frame);
          }),
        ),
    };
  }
}
