import { lsnOf } from './repository-info.js';

/*
 * What pgBackRest does not keep: where the named restore points are, and when the database was set back. It is
 * a text beside archive and backups, so that the repository alone tells it; a line an event, never changed.
 */

/** A point in the WAL with a name. */
export interface RestorePoint {
  readonly name: string;
  /** Seconds since 1970. */
  readonly at: number;
  readonly lsn: bigint;
  readonly timeline: number;
}

/** The database was set back in place: what was written on the old timeline after the target is not on the new one. */
export interface SetBack {
  /** Seconds since 1970 at which it was done. */
  readonly at: number;
  /** The timeline that was left. */
  readonly from: number;
  /** The new one; 0 before it is known, and for ever where the restore was cut. */
  readonly to: number;
}

export interface RecoveryHistory {
  readonly points: readonly RestorePoint[];
  readonly setBacks: readonly SetBack[];
}

/** The file of a repository. */
export function historyFile(repository: string): string {
  return `${repository}/odoo-prov-history`;
}

export function pointLine(name: string, at: string, lsn: string, timeline: string): string {
  return ['point', name, at, lsn, timeline].join('\t');
}

export function setBackLine(at: string, from: string, to: string): string {
  return ['set-back', at, from, to].join('\t');
}

/** Reads the file; a line that was cut by a full disk is no event. */
export function parseHistory(text: string): RecoveryHistory {
  const rows = text.split('\n').map((line) => line.split('\t'));
  return {
    points: rows
      .filter(([kind, ...rest]) => kind === 'point' && rest.length === 4)
      .map(([, name = '', at = '', lsn = '', timeline = '']) => ({
        ...{ name, at: Number(at), lsn: lsnOf(lsn), timeline: Number(timeline) },
      })),
    setBacks: rows
      .filter(([kind, ...rest]) => kind === 'set-back' && rest.length === 3)
      .map(([, at = '', from = '', to = '']) => ({
        ...{ at: Number(at), from: Number(from), to: Number(to) },
      })),
  };
}
