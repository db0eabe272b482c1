import type { Gaps } from './gaps.js';
import type { Received, StoredJob, UserRequest } from './requests.js';

/** What the database, the filestore and the edges say about the users' work when all is over. */
export interface UserTraces {
  readonly jobs: readonly StoredJob[];
  /** Names of records that are there, each as often as it is. */
  readonly records: readonly string[];
  /** Files that a host does not have, of those that the database names. */
  readonly filesMissing: readonly { readonly host: string; readonly missing: number }[];
  /** How many files the database names. */
  readonly files: number;
  /** Who was asked for the users' pages, and for their websockets, by the edges' own logs. */
  readonly asked: readonly Asked[];
}

/** An upstream of an edge that a request of a user went to. */
export interface Asked {
  readonly edge: string;
  readonly what: 'page' | 'websocket';
  /** `address:port`. */
  readonly upstream: string;
  /** Whether the inventory has it in this pool. */
  readonly expected: boolean;
  /** The host that has the address, if the inventory knows one. */
  readonly host?: string;
}

/** What was counted and measured of Odoo's users. */
export interface UserFigures {
  readonly answered: number;
  readonly failed: number;
  /** Milliseconds; of the users who work. */
  readonly gaps: Gaps;
  readonly logins: { readonly done: number; readonly failed: number };
  readonly sessionsLost: number;
  /** Records that a user was told are saved, and that are not there. */
  readonly recordsLost: number;
  readonly messages: {
    readonly sent: number;
    readonly lost: number;
    /** The longest time, in milliseconds, from its acknowledgement until every listener had it. */
    readonly longest: number;
  };
  readonly jobs: { readonly asked: number; readonly never: number; readonly twice: number };
  readonly filesMissing: number;
  /** Errors that users got, with how often. */
  readonly errors: Readonly<Record<string, number>>;
}

/** A message that was sent, and what became of it. */
export interface Message {
  readonly number: number;
  readonly sentAt: number;
  /** When each listener had it; shorter than the number of listeners where one has not. */
  readonly had: readonly number[];
}

/** The messages of which Odoo said that they were sent. */
export function messagesOf(
  requests: readonly UserRequest[],
  received: readonly Received[],
): readonly Message[] {
  return requests
    .filter(({ kind, outcome }) => kind === 'signal' && outcome === 'acknowledged')
    .map(({ name, ended }) => {
      const number = Number(name);
      const first = new Map<number, number>();
      for (const { listener, message, at } of received) {
        if (message === number && !first.has(listener)) first.set(listener, at);
      }
      return { number, sentAt: ended, had: [...first.values()] };
    });
}
