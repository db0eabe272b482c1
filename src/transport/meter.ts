import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** Bytes that went over one connection, live. */
export interface Meter {
  readonly sent: () => number;
  readonly received: () => number;
}

/** Counts what goes over a TCP connection, or over a channel through a bastion. */
export function meter(stream: Duplex): Meter {
  if (stream instanceof Socket) {
    return { sent: () => stream.bytesWritten, received: () => stream.bytesRead };
  }
  let sent = 0;
  let received = 0;
  stream.on('data', (chunk: Buffer) => (received += chunk.length));
  // A channel keeps no count of its own and has no event for what is written.
  const write = stream._write.bind(stream);
  stream._write = (chunk: Buffer, encoding, callback) => {
    sent += chunk.length;
    write(chunk, encoding, callback);
  };
  return { sent: () => sent, received: () => received };
}
