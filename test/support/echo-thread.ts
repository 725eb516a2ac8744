/**
 * A thread for the tests of threads: it says back what it hears, and dies when told to.
 */
import { threadStart, wrapPort } from "#platform";

interface EchoData {
  readonly greeting: string;
  readonly side?: Parameters<typeof wrapPort>[0];
}

const { port, data } = threadStart<unknown, unknown, EchoData>();
port.post(data.greeting);
port.onMessage((message) => {
  if (message === "throw") throw new Error("told to throw");
  if (message === "exit") process.exit(3);
  if (message === "spin") for (;;);
  // Everything that is already here goes back in one message, to show what `take` takes.
  const all = [message];
  for (let next = port.take(); next !== undefined; next = port.take()) all.push(next);
  port.post(all);
});
if (data.side !== undefined) {
  const side = wrapPort<unknown, unknown>(data.side);
  side.onMessage((message) => side.post({ side: message }));
}
