/**
 * The one port on which other nodes reach this one: consensus and calls share it.
 *
 * Invariant: a connection that does not introduce itself within HELLO_TIMEOUT_MS is closed, so that
 * strangers cannot collect here. Chapter: 08-replica.
 */
import type { Clock, Listener, Sockets } from "#platform/types";
import { createFrameStream, decodeHello, type FrameStream, type Hello } from "./frame-stream.ts";

/** Five seconds: a hello is one packet; whoever needs longer is not one of ours. */
const HELLO_TIMEOUT_MS = 5000;

type RaftHello = Extract<Hello, { purpose: "raft" }>;

/** The listening end. */
export interface PeerPort {
  /** The address in use, with the real port. */
  readonly address: string;
  /** Sets who takes consensus connections; until then they are closed. */
  onRaft(f: (hello: RaftHello, stream: FrameStream) => void): void;
  /** Sets who takes calls; until then they are closed. */
  onRpc(f: (stream: FrameStream) => void): void;
  /** Stops listening and closes every stream that came in. */
  close(): Promise<void>;
}

/**
 * Listens at `address`.
 *
 * `onRefused` is told why a connection was turned away, for the log.
 *
 * @throws `NET_ADDRESS_IN_USE`, `NET_ADDRESS_INVALID`.
 */
export async function openPeerPort(options: {
  sockets: Sockets;
  clock: Clock;
  address: string;
  onRefused?: (remote: string, reason: string) => void;
}): Promise<PeerPort> {
  const { sockets, clock, address, onRefused = () => undefined } = options;
  let takeRaft: ((hello: RaftHello, stream: FrameStream) => void) | undefined;
  let takeRpc: ((stream: FrameStream) => void) | undefined;

  const introduce = (stream: FrameStream, hello: Hello): void => {
    if (hello.purpose === "raft" && takeRaft !== undefined) takeRaft(hello, stream);
    else if (hello.purpose === "rpc" && takeRpc !== undefined) takeRpc(stream);
    // A peer that formed the cluster a moment earlier; it will come again.
    else stream.close();
  };

  const listener: Listener = await sockets.listen(address, (socket) => {
    const stream = createFrameStream(socket);
    stream.distrust();
    const cancel = clock.after(HELLO_TIMEOUT_MS, () => {
      onRefused(stream.remote, "no hello");
      stream.close();
    });
    stream.onClose(() => cancel());
    stream.onFrame((body) => {
      cancel();
      try {
        const hello = decodeHello(body);
        stream.trust();
        introduce(stream, hello);
      } catch (error) {
        onRefused(stream.remote, error instanceof Error ? error.message : String(error));
        stream.close();
      }
    });
  });
  return {
    address: listener.address,
    onRaft: (f) => {
      takeRaft = f;
    },
    onRpc: (f) => {
      takeRpc = f;
    },
    close: () => listener.close(),
  };
}
