import { parseLsn } from '../postgres/promotion.js';
import { assertion, type Check } from './check.js';
import type { StoredRow, Write } from './ledger.js';

/** A moment with a name in the WAL, at which no client was in the middle of a write. */
export interface Moment {
  readonly name: string;
  /** For people: `before the switchover`. */
  readonly when: string;
  readonly lsn: bigint;
  readonly timeline: number;
}

/** What a copy that was restored to a moment has. */
export interface CopyObservation {
  readonly moment: Moment;
  /** Where it was restored. */
  readonly host: string;
  /** Of all clients, when the load has ended. */
  readonly writes: readonly Write[];
  readonly rows: readonly StoredRow[];
  /** The last line of the copy's own timeline history: which timeline it left, where, and why (PostgreSQL, timeline.c). */
  readonly left: string;
}

/** Judges a copy by the ledger: the rows of its moment, no more and no fewer. A write without an answer may be either. */
export function judgeCopy({ moment, host, writes, rows, left }: CopyObservation): readonly Check[] {
  const stored = new Set(rows.map(nameOf));
  const acknowledged = writes.filter(({ outcome }) => outcome === 'acknowledged');
  const due = acknowledged.filter((write) => isBefore(write, moment));
  const unknown = writes.filter(({ outcome }) => outcome === 'unknown');
  const allowed = new Set([...due, ...unknown].map(nameOf));
  const missing = due.filter((write) => !stored.has(nameOf(write)));
  const surplus = rows.filter((row) => !allowed.has(nameOf(row)) || row.copies > 1);
  const copy = `the copy of the moment ${moment.when}`;
  const [, timeline = '?', reason = ''] = /^(\d+)\s+\S+\s+(.*)$/.exec(left.trim()) ?? [];
  const next = `odoo-prov backup FILE --verify proves the newest backup; on ${host}, what was it restored from: odoo-prov backup FILE --list`;
  return [
    assertion(
      'copy.missing',
      `${copy} has each of the ${due.length} rows that were saved by then`,
      // With none there is nothing that a copy could prove.
      missing.length === 0 && due.length > 0,
      {
        found:
          due.length === 0
            ? 'not one was saved by then'
            : `${missing.length} are missing, the first of client ${missing[0]?.client ?? 0}`,
        next,
      },
    ),
    assertion(
      'copy.surplus',
      `${copy} has none of the ${acknowledged.length - due.length} rows that were saved later, and none twice`,
      surplus.length === 0,
      {
        found: `${surplus.length} rows too many, the first of client ${surplus[0]?.client ?? 0}`,
        next,
      },
    ),
    assertion(
      'copy.timeline',
      `${copy} went along timeline ${moment.timeline}, up to its restore point`,
      Number(timeline) === moment.timeline && reason.includes(moment.name),
      {
        found: left === '' ? 'nothing is known of its way' : `timeline ${timeline}, ${reason}`,
        next,
      },
    ),
  ];
}

/**
 * Whether a write was saved before a moment. A write reads its place in the WAL after its row is in it and before
 * its commit is; since none was in the middle then, one that read a lower place had been committed. What was acknowledged on an earlier
 * timeline belongs to a later one too: a switchover loses nothing.
 */
function isBefore({ lsn, timeline }: Write, moment: Moment): boolean {
  if (lsn === undefined || timeline === undefined)
    throw new Error('an acknowledged write has a place');
  return timeline < moment.timeline || (timeline === moment.timeline && parseLsn(lsn) < moment.lsn);
}

function nameOf({ client, sequence }: { client: number; sequence: number }): string {
  return `${client}/${sequence}`;
}
