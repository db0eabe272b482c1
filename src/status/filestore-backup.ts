import { sh, type Script } from '../shell/index.js';

/** The newest snapshot of the filestore, as the host that keeps them tells. */
export interface FilestoreBackupStatus {
  /** Seconds since it ended; null: there is none. */
  readonly age: number | null;
  /** One is taken each hour, rather than when the inventory says. */
  readonly hourly: boolean;
}

/**
 * Prints the time, how often snapshots are taken, and when the newest was complete: a file a snapshot, which is
 * written last. Needs no password.
 */
export function filestoreBackupProbe(repository: string, calendar: string): Script {
  return sh`
date +%s
echo ${calendar}
find ${`${repository}/snapshots`} -type f -printf '%T@\n' 2>/dev/null | sort -n | tail -n 1`;
}

/** Reads what {@link filestoreBackupProbe} printed. @throws Error on anything else */
export function parseFilestoreBackup(text: string): FilestoreBackupStatus {
  const [now = '', calendar, newest = ''] = text.split('\n');
  if (!/^\d+$/.test(now) || calendar === undefined) throw new Error('the answer was cut');
  return {
    age: newest === '' ? null : Math.max(0, Math.round(Number(now) - Number(newest))),
    hourly: calendar === 'hourly',
  };
}
