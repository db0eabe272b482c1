import { sh, type Script } from '../shell/index.js';
import { REPOSITORY_PROGRAM, RESTORE_PROGRAM } from './layout.js';

/** A snapshot of the filestore. */
export interface Snapshot {
  /** Seconds since 1970 at which it was begun, by the clock of the host that made it. */
  readonly at: number;
  readonly id: string;
}

/** Prints the snapshots, on their keeper as root. */
export function listScript(): Script {
  return sh`${REPOSITORY_PROGRAM} list`;
}

/** Reads what {@link listScript} printed; oldest first. @throws Error on anything else */
export function parseSnapshots(text: string): readonly Snapshot[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, at, id] = /^(\d+) ([0-9a-f]{64})$/.exec(line.trim()) ?? [];
      if (at === undefined || id === undefined) throw new Error(`no snapshot: ${line}`);
      return { at: Number(at), id };
    });
}

/**
 * The snapshots that together hold the attachments of a moment: the last that was begun before it and the first
 * after. An attachment's file is called by its content and never changes; Odoo makes it before the row that
 * names it is committed and removes it some time after no row does. So a file that was wanted at that moment is in
 * the earlier snapshot, or was made after it and is in the later one, unless it was removed in between as well.
 * @param at seconds since 1970; undefined: the latest moment
 */
export function snapshotsFor(
  all: readonly Snapshot[],
  at: number | undefined,
): readonly Snapshot[] {
  const before = all.findLast((snapshot) => at === undefined || snapshot.at <= at);
  const after = at === undefined ? undefined : all.find((snapshot) => snapshot.at > at);
  return [before, after].filter((snapshot) => snapshot !== undefined);
}

/** Brings back what is in snapshots and not in the filestore, on the source as root. */
export function restoreFilesScript(snapshots: readonly Snapshot[]): Script {
  return sh`${RESTORE_PROGRAM} ${snapshots.map(({ id }) => id)}`;
}

/** How many files {@link restoreFilesScript} added, and how many there were to look for, of all its snapshots. */
export function parseAdded(text: string): { readonly added: number; readonly known: number } {
  const rows = [...text.matchAll(/^added (\d+) of (\d+)$/gm)];
  return {
    added: rows.reduce((sum, [, added]) => sum + Number(added), 0),
    known: Math.max(0, ...rows.map(([, , known]) => Number(known))),
  };
}
