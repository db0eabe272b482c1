import type { Duplex } from 'node:stream';

/** A host that load goes through, and the way to it. */
export interface Way {
  readonly host: string;
  /** @throws Failure when nobody listens there, or the host cannot be reached */
  readonly open: () => Promise<Duplex>;
}
