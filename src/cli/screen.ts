/**
 * Writes lines to a terminal or a file, and keeps a block of lines in place below them.
 *
 * Invariant: the block is always the last thing on the screen; what is said appears above it. On
 * anything that is not a terminal there is no block and no control sequence.
 */
import type { ViewStyle } from "./live-view.ts";

const HIDE_CURSOR = "\u001b[?25l";
const SHOW_CURSOR = "\u001b[?25h";
const CLEAR_BELOW = "\u001b[0J";

const COLUMNS_DEFAULT = 80;

/** The part of `process.stdout` that a screen needs. */
export interface ScreenStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  /** Prints a text. */
  write(text: string): unknown;
}

/** Output that has a block at its end. */
export interface Screen {
  /** Is there a person at a terminal? */
  readonly live: boolean;
  /** How to draw for this screen, at its present width. */
  style(): ViewStyle;
  /** Writes text of one or more lines above the block. */
  say(text: string): void;
  /** Replaces the block. Lines must not be longer than the screen is wide. */
  show(block: readonly string[]): void;
  /** Leaves the block where it is, and gives the cursor back. */
  end(): void;
}

/**
 * Makes the screen for a stream.
 *
 * @param environment - `NO_COLOR`, set to anything but nothing, means no color; so does
 * `TERM=dumb`.
 */
export function createScreen(
  stream: ScreenStream,
  environment: Readonly<Record<string, string | undefined>>,
): Screen {
  const live = stream.isTTY === true && environment["TERM"] !== "dumb";
  const color = live && (environment["NO_COLOR"] ?? "") === "";
  let block: readonly string[] = [];
  const erase = (): string => (block.length === 0 ? "" : `\u001b[${block.length}A\r${CLEAR_BELOW}`);
  const lines = (texts: readonly string[]): string => texts.map((text) => `${text}\n`).join("");
  return {
    live,
    // A terminal that does not know its width says 0.
    style: () => ({ columns: stream.columns || COLUMNS_DEFAULT, color }),
    say: (text) => void stream.write(`${erase()}${text}\n${lines(block)}`),
    show(next) {
      if (!live || next.join("\n") === block.join("\n")) return;
      const hide = block.length === 0 ? HIDE_CURSOR : "";
      stream.write(`${hide}${erase()}${lines(next)}`);
      block = next;
    },
    end() {
      if (live && block.length > 0) stream.write(SHOW_CURSOR);
      block = [];
    },
  };
}
