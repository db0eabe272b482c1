import { parseLsn } from '../postgres/promotion.js';

/** One write that a client attempted, kept outside of the database. A sequence number is never used twice. */
export interface Write {
  readonly client: number;
  readonly sequence: number;
  /**
   * `acknowledged`: the client was told that it is saved. `refused`: it was told that it is not, or it never
   * left. `unknown`: it was sent, and no answer came: it may be there or not.
   */
  readonly outcome: 'acknowledged' | 'refused' | 'unknown';
  /** Milliseconds since the scenario began. */
  readonly begun: number;
  readonly ended: number;
  /** The host whose PgBouncer it went through. */
  readonly through: string;
  /** Of acknowledged ones: where the server's WAL was, and its timeline. */
  readonly lsn?: string;
  readonly timeline?: number;
  /** Of the others: SQLSTATE, or the name of the network's error. */
  readonly error?: string;
}

/** A row that the database has at the end; `copies` is how many are equal. */
export interface StoredRow {
  readonly client: number;
  readonly sequence: number;
  readonly copies: number;
}

/** What a comparison of ledger and database found. */
export interface Comparison {
  readonly acknowledged: number;
  readonly refused: number;
  readonly unknown: number;
  /** Of the unknown ones: how many are there. */
  readonly unknownStored: number;
  /** Acknowledged, and not there. */
  readonly lost: readonly Write[];
  /** Of the lost ones: those after which a later one of the same client and timeline was kept. */
  readonly lostInBetween: readonly Write[];
  readonly duplicated: readonly StoredRow[];
  /** There, although nobody wrote them or the client was told that they are not saved. */
  readonly invented: readonly StoredRow[];
}

/** Name of a write, the same for its row. */
function nameOf({ client, sequence }: { client: number; sequence: number }): string {
  return `${client}/${sequence}`;
}

/** Compares what clients were told with the rows that the database has when all is over. */
export function compareLedger(writes: readonly Write[], rows: readonly StoredRow[]): Comparison {
  const stored = new Set(rows.map(nameOf));
  const expected = new Set(writes.filter(({ outcome }) => outcome !== 'refused').map(nameOf));
  const of = (outcome: Write['outcome']): readonly Write[] =>
    writes.filter((write) => write.outcome === outcome);
  const acknowledged = of('acknowledged');
  const unknown = of('unknown');
  const lost = acknowledged.filter((write) => !stored.has(nameOf(write)));
  return {
    acknowledged: acknowledged.length,
    refused: of('refused').length,
    unknown: unknown.length,
    unknownStored: unknown.filter((write) => stored.has(nameOf(write))).length,
    lost,
    lostInBetween: lostInBetween(acknowledged, stored),
    duplicated: rows.filter(({ copies }) => copies > 1),
    invented: rows.filter((row) => !expected.has(nameOf(row))),
  };
}

/**
 * With asynchronous replication a failover may lose the last writes of the old timeline, and nothing before
 * them: of each client and timeline the lost ones must be the last. Gives those that are not.
 */
function lostInBetween(acknowledged: readonly Write[], stored: ReadonlySet<string>): Write[] {
  const lastKept = new Map<string, number>();
  const line = ({ client, timeline }: Write): string => `${client}/${timeline ?? 0}`;
  for (const write of acknowledged) {
    if (!stored.has(nameOf(write))) continue;
    lastKept.set(line(write), Math.max(lastKept.get(line(write)) ?? 0, write.sequence));
  }
  return acknowledged.filter(
    (write) => !stored.has(nameOf(write)) && write.sequence < (lastKept.get(line(write)) ?? 0),
  );
}

/** How much was lost. */
export interface Loss {
  readonly rows: number;
  /** From the first lost write's start to the last one's answer. */
  readonly seconds: number;
  /** WAL between the first and the last of them; of all writers of the server, not only of the test. */
  readonly bytes: number;
}

/** Measures lost writes. */
export function lossOf(lost: readonly Write[]): Loss {
  if (lost.length === 0) return { rows: 0, seconds: 0, bytes: 0 };
  const begun = lost.reduce((least, write) => Math.min(least, write.begun), Infinity);
  const ended = lost.reduce((most, write) => Math.max(most, write.ended), 0);
  const places = lost.flatMap(({ lsn }) => (lsn === undefined ? [] : [parseLsn(lsn)]));
  const sorted = places.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const first = sorted[0] ?? 0n;
  const last = sorted.at(-1) ?? 0n;
  return { rows: lost.length, seconds: (ended - begun) / 1000, bytes: Number(last - first) };
}
