/**
 * Verbs for the real transport over simulated byte streams: damage, strangers, readers that stall.
 *
 * Chapter: 11-simulation.
 */
import type { Bytes } from "#base";
import { encodeHello, FRAME_BYTES_MAX, frame, PROTOCOL_VERSION } from "#replica";
import type { Arguments } from "./arguments.ts";
import type { Context, Verbs } from "./context.ts";
import { NetBench } from "./net-bench.ts";

const encoder = new TextEncoder();
/** Small, so that frames arrive in pieces. */
const CHUNK_BYTES = 64;
const decoder = new TextDecoder();

function netOf(context: Context, args: Arguments): NetBench {
  return context.net ?? args.fail("there is no net yet", args.command.words[0]);
}

function make(context: Context, args: Arguments): void {
  const pairs = args.pairs(["members", "chunkBytes", "seed"]);
  context.net = new NetBench({
    seed: pairs.number("seed") ?? 1,
    members: pairs.number("members") ?? 2,
    chunkBytesMax: pairs.number("chunkBytes") ?? CHUNK_BYTES,
  });
}

async function open(context: Context, args: Arguments): Promise<void> {
  const net = netOf(context, args);
  const id = args.number("a node");
  const pairs = args.pairs(["incarnation", "cluster"]);
  await net.open(id, { incarnation: pairs.text("incarnation"), cluster: pairs.text("cluster") });
}

function send(context: Context, args: Arguments): void {
  const net = netOf(context, args);
  const { from, to } = args.link();
  const text = args.word("a text");
  const pairs = args.pairs(["bytes", "times"]);
  const body = text.padEnd(pairs.number("bytes") ?? text.length, ".");
  for (let n = pairs.number("times") ?? 1; n > 0; n -= 1) {
    if (!net.send(from, to, body)) args.wrong(`node ${from} is not open`);
  }
}

/** What is changed on the way, chunk by chunk. */
function tamper(context: Context, args: Arguments): void {
  const { sockets } = netOf(context, args);
  const what = args.oneOf(["flip", "shorten", "nothing"]);
  args.end();
  if (what === "nothing") sockets.setTamper(null);
  else sockets.setTamper((chunk) => (what === "flip" ? flipped(chunk) : chunk.slice(0, -1)));
}

function flipped(chunk: Bytes): Bytes {
  const damaged = chunk.slice();
  damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 1;
  return damaged;
}

/** Things that a stranger may say first. */
function stranger(context: Context, args: Arguments): void {
  const net = netOf(context, args);
  const to = args.number("a node");
  const what = args.oneOf(["http", "oversized", "version", "field"]);
  args.end();
  net.raw(to, strangerParts(what));
}

function strangerParts(what: "http" | "oversized" | "version" | "field"): Bytes[] {
  if (what === "http") return [encoder.encode("GET / HTTP/1.1\r\nhost: node\r\n\r\n")];
  // A header that promises the largest frame there is; its body never comes.
  if (what === "oversized") return frame([new Uint8Array(FRAME_BYTES_MAX)]).slice(0, 1);
  const hello = JSON.parse(decoder.decode(encodeHello({ purpose: "rpc" }))) as object;
  const changed =
    what === "version"
      ? { ...hello, version: PROTOCOL_VERSION + 1 }
      : { ...hello, purpose: "raft", colour: "blue" };
  return frame([encoder.encode(JSON.stringify(changed))]);
}

export const NET_VERBS: Verbs = {
  "net new": {
    usage: "net new [members=2] [chunkBytes=64]",
    does: "Simulated byte streams between so many members, none of them open.",
    run: make,
  },
  "net open": {
    usage: "net open 1 [incarnation=ff] [cluster=other]",
    does: "A member opens its port; or somebody who says that he is that member.",
    run: open,
  },
  "net close": {
    usage: "net close 1",
    does: "It closes its port and its connections.",
    run: async (context, args) => {
      const id = args.number("a node");
      if (!(await netOf(context, args).close(id))) args.wrong(`node ${id} is not open`);
    },
  },
  "net send": {
    usage: 'net send 1->2 "a text" [bytes=1000] [times=20]',
    does: "One frame from one to another, or many.",
    run: send,
  },
  "net run": {
    usage: "net run 100",
    does: "Milliseconds pass; what nodes got, refused and missed is told.",
    run: async (context, args) => {
      const net = netOf(context, args);
      await net.run(args.number("milliseconds"));
      context.said.push(...net.take());
    },
  },
  "net tamper": {
    usage: "net tamper flip|shorten|nothing",
    does: "What becomes of each piece of the stream: a bit flips, a byte is missing.",
    run: tamper,
  },
  "net stall": {
    usage: "net stall on|off",
    does: "Readers take nothing.",
    run: (context, args) => {
      netOf(context, args).sockets.setStalled(args.oneOf(["on", "off"]) === "on");
    },
  },
  "net stranger": {
    usage: "net stranger 2 http|oversized|version|field",
    does: "Somebody connects and speaks another language, promises too much, or is too new.",
    run: stranger,
  },
};
