import { serverOf } from './database.js';
import type { ClusterStatus } from './model.js';

/** A primary that did not say so itself: standbys receive from it. */
export interface UnseenPrimary {
  readonly standbys: readonly string[];
  readonly address: string;
  /** Null where the inventory has no such host. */
  readonly host: string | null;
}

/** Whom standbys receive from that could not be asked: its host is out of reach, or not in the inventory. */
export function unseenPrimary({ hosts }: ClusterStatus): UnseenPrimary | undefined {
  const asked = new Set(hosts.filter(({ failure }) => failure === null).map((one) => one.address));
  const receiving = hosts.flatMap((one) => {
    const receiver = serverOf(one)?.receiver;
    if (receiver?.status !== 'streaming' || receiver.from === null) return [];
    return asked.has(receiver.from) ? [] : [{ standby: one.host, from: receiver.from }];
  });
  const [first] = receiving;
  if (first === undefined) return undefined;
  return {
    standbys: receiving.filter(({ from }) => from === first.from).map(({ standby }) => standby),
    address: first.from,
    host: hosts.find(({ address }) => address === first.from)?.host ?? null,
  };
}
