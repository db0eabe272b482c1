import { AS_POSTGRES } from '../postgres/repository-files.js';
import { sh, type Script } from '../shell/index.js';
import { ONLY_ON_PRIMARY } from './backup.js';

/** The newest snapshot of the filestore, as the host that keeps them tells, or with a bucket the primary. */
export interface FilestoreBackupStatus {
  /** Seconds since it ended; null: there is none. */
  readonly age: number | null;
  /** One is taken each hour, rather than when the inventory says. */
  readonly hourly: boolean;
}

/**
 * Prints the time, how often snapshots are taken, and when the newest was complete: a file a snapshot, which is
 * written last. Needs no password.
 * @param repository the folder of the snapshots on this host
 */
export function filestoreBackupProbe(repository: string, calendar: string): Script {
  return sh`
date +%s
echo ${calendar}
find ${`${repository}/snapshots`} -type f -printf '%T@\n' 2>/dev/null | sort -n | tail -n 1`;
}

/**
 * The same with a bucket: asked of every database host, and only the primary answers. By pgBackRest, which needs less
 * than restic for a look: it reads no password and decrypts nothing.
 * @param name of the snapshots in pgBackRest's repository
 */
export function bucketFilestoreProbe(name: string, calendar: string): Script {
  return sh`
${ONLY_ON_PRIMARY}
${AS_POSTGRES}
date +%s
echo ${calendar}
all=$(as_postgres pgbackrest --log-level-console=off --log-level-stderr=error --log-level-file=off \
  repo-ls --output=json ${`${name}/snapshots`}) || exit 1
printf '%s\n' "$all" | grep -oE '"time":[0-9]+' | cut -d : -f 2 | sort -n | tail -n 1`;
}

/** Reads what a probe printed; null where another host is to answer. @throws Error on anything else */
export function parseFilestoreBackup(text: string): FilestoreBackupStatus | null {
  if (text.trim() === '') return null;
  const [now = '', calendar, newest = ''] = text.split('\n');
  if (!/^\d+$/.test(now) || calendar === undefined) throw new Error('the answer was cut');
  return {
    age: newest === '' ? null : Math.max(0, Math.round(Number(now) - Number(newest))),
    hourly: calendar === 'hourly',
  };
}
