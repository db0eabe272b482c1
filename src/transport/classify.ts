import { Failure } from '../failure/failure.js';
import { bucketFailure } from './bucket-failure.js';
import type { Answer } from './session.js';

const LAST_LINES = 12;

/** apt's and dpkg's words for a lock that somebody else holds (apt 2.x, dpkg 1.19 and later). */
const LOCK_HELD = [
  /Could not get lock (?<lock>[^\s,]+?)\.? It is held by process (?<pid>\d+) \((?<who>[^)]+)\)/,
  /(?<lock>dpkg (?:frontend|database)) lock was locked by another process with pid (?<pid>\d+)/,
  /Could not get lock (?<lock>[^\s,]+)/,
  /Unable to acquire the dpkg frontend lock \((?<lock>[^)]+)\)/,
  /Unable to lock (?:directory|the list directory|the download directory) ?(?<lock>\S*)/,
  /(?<lock>dpkg (?:frontend|database|status database)) (?:lock )?is locked by another process/,
];
const DPKG_INTERRUPTED =
  /dpkg was interrupted, you must manually run|dpkg: error: .*--configure -a/;
const DISK_FULL =
  /No space left on device|You don't have enough free space in (?<apt>\S+?)\.?$|Disk quota exceeded/m;
/** The repository of the backups, on the host that keeps it. */
const REPOSITORY_FULL = /no room on (?<keeper>\S+) in (?<path>\S+?)(?<likely>, most likely)?: /;
const DISK_FULL_PATH = /(?<path>\/[^\s:'"]+)['"]?: No space left on device/;

/** The last lines of what knows itself what is wrong: a health check (src/resource/check.ts), a step of a move. */
export const OWN_WORDS =
  /(?:^|\n)(?<message>.+)\nexpected: (?<expected>.*)\nfound: (?<found>.*)(?:\nnext: (?<next>.+))?$/;

/**
 * Why a command failed, as far as its output tells: disk full, apt's lock held (by whom), dpkg interrupted, a bucket that
 * refuses, a health check that is not well, and otherwise that it failed, with its last lines.
 * @param resource the resource's key, where the command was for one
 */
export function classifyCommandFailure(
  host: string,
  resource: string | undefined,
  answer: Answer,
): Failure {
  const output = lastLines(answer);
  const base = { host, ...(resource !== undefined && { resource }), output };
  const text = `${answer.stderr}\n${answer.stdout}`;
  // Before a full disk: it is another host's.
  const repository = REPOSITORY_FULL.exec(text)?.groups;
  if (repository !== undefined) return repositoryFull(base, repository);
  // A full disk comes before the rest: it is also what interrupts dpkg.
  const full = DISK_FULL.exec(text);
  if (full !== null)
    return diskFull(base, DISK_FULL_PATH.exec(text)?.groups?.['path'] ?? full.groups?.['apt']);
  const lock = LOCK_HELD.map((pattern) => pattern.exec(text)).find((match) => match !== null);
  if (lock !== undefined) return lockHeld(base, lock.groups ?? {});
  if (DPKG_INTERRUPTED.test(text)) {
    return new Failure({
      ...base,
      reason: 'dpkg-interrupted',
      message: 'dpkg was interrupted earlier and must be repaired first',
      remedy: 'run on the host: dpkg --configure -a && apt-get -f install, then run again',
    });
  }
  const bucket = bucketFailure(base, text);
  if (bucket !== undefined) return bucket;
  const remedy =
    resource === undefined
      ? 'read what it printed, mend it on the host and run again'
      : `read what it printed, mend it on the host or in the inventory and run again: only ${resource} and what comes after it are left`;
  const check = resource?.startsWith('check:') ? OWN_WORDS.exec(output)?.groups : undefined;
  if (check !== undefined) {
    const { message = '', expected = '', found = '', next } = check;
    const words = { message, expected, found, remedy: next ?? remedy };
    return new Failure({
      host,
      ...(resource !== undefined && { resource }),
      reason: 'command-failed',
      ...words,
    });
  }
  return new Failure({
    ...base,
    reason: 'command-failed',
    message:
      answer.code === 124
        ? 'a command ran into its time limit (exit code 124)'
        : `a command failed with exit code ${answer.code}`,
    remedy,
  });
}

type Base = Pick<Failure['details'], 'host' | 'resource' | 'output'>;

/** A place on the full disk that is there still: whoever ran out of room may have removed its file, pg_basebackup all of the data. */
function placeOf(path: string): string {
  const postgres = /^\/var\/lib\/postgresql\/[^/]+(?=\/)/.exec(path);
  return postgres?.[0] ?? (path.slice(0, path.lastIndexOf('/')) || '/');
}

function diskFull(base: Base, path: string | undefined): Failure {
  return new Failure({
    ...base,
    reason: 'disk-full',
    message: path === undefined ? 'the disk is full' : `the disk is full (at ${path})`,
    remedy: `make room on the host (df -h${path === undefined ? '' : ` ${placeOf(path)}`}; apt-get clean; journalctl --vacuum-size=200M), then run again`,
  });
}

function repositoryFull(
  base: Base,
  { keeper, path, likely }: Partial<Record<string, string>>,
): Failure {
  const where = `${path ?? ''} on ${keeper ?? ''}`;
  return new Failure({
    ...base,
    reason: 'disk-full',
    message: `the repository of the backups is ${likely === undefined ? '' : 'most likely '}full: ${where}`,
    remedy: `make room in ${where} (odoo-prov status FILE says how much is left there, and what to do), then run again`,
  });
}

function lockHeld(base: Base, found: Partial<Record<string, string>>): Failure {
  const { pid, who, lock } = found;
  const holder = who === undefined ? pid && `process ${pid}` : `${who} (process ${pid ?? ''})`;
  return new Failure({
    ...base,
    reason: 'apt-lock',
    message: `apt is locked by ${holder ?? 'another process'}`,
    ...(lock !== undefined && lock !== '' && { found: `the lock ${lock} is held` }),
    remedy:
      pid === undefined
        ? 'see who holds it (fuser -v /var/lib/dpkg/lock-frontend), wait for it to end and run again'
        : `wait for it to end (ps -fp ${pid} on the host) and run again; never remove the lock file`,
  });
}

/** The last lines of standard error, or of standard output where there is none, without colours. */
function lastLines({ stdout, stderr }: Answer): string {
  const text = stderr.trim() === '' ? stdout : stderr;
  return text
    .replace(/\u001b\[[0-9;?]*[A-Za-z]/g, '')
    .trim()
    .split('\n')
    .map((line) => line.split('\r').at(-1) ?? '')
    .slice(-LAST_LINES)
    .join('\n');
}
