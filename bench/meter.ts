import { subscribe } from 'node:diagnostics_channel';
import { writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';

/** What one TCP connection carried, as its client saw it. */
export interface SocketUse {
  readonly host: string;
  readonly port: number;
  readonly sent: number;
  readonly received: number;
  /** How often something came in after something had gone out: each is one wait for the other side. */
  readonly roundTrips: number;
}

/** What a measured process writes about itself when it ends. */
export interface Metered {
  readonly sockets: readonly SocketUse[];
  /** Seconds of processor time. */
  readonly cpu: number;
  /** Bytes. */
  readonly peakMemory: number;
}

/**
 * Follows one socket without touching its data: `write` is what the program sends, `push` is what node hands
 * to it. No listener is added, since a `data` listener would set the socket flowing.
 */
function follow(socket: Socket): () => SocketUse {
  let sent = 0;
  let received = 0;
  let roundTrips = 0;
  let waiting = false;
  let place = { host: '', port: 0 };
  const push = socket.push.bind(socket);
  socket.once('connect', () => {
    place = { host: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 };
    // Not earlier: connecting puts the prototype's `write` back.
    const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
    socket.write = (...args: unknown[]) => {
      const [chunk] = args;
      sent += typeof chunk === 'string' ? Buffer.byteLength(chunk) : (chunk as Buffer).byteLength;
      waiting = true;
      return write(...args);
    };
  });
  socket.push = (chunk: unknown, encoding?: BufferEncoding) => {
    if (chunk instanceof Uint8Array) {
      received += chunk.byteLength;
      if (waiting) roundTrips += 1;
      waiting = false;
    }
    return push(chunk, encoding);
  };
  return () => ({ ...place, sent, received, roundTrips });
}

const report = process.env['BENCH_METER'];
if (report !== undefined) {
  const uses: (() => SocketUse)[] = [];
  subscribe('net.client.socket', (message) => {
    uses.push(follow((message as { socket: Socket }).socket));
  });
  process.on('exit', () => {
    const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
    const metered: Metered = {
      sockets: uses.map((use) => use()),
      cpu: (userCPUTime + systemCPUTime) / 1e6,
      peakMemory: maxRSS * 1024,
    };
    writeFileSync(report, JSON.stringify(metered));
  });
}
