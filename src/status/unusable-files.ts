import { databaseHosts, type Cluster } from '../inventory/cluster.js';
import { FETCH_WAL } from '../postgres/archive.js';
import { GUARD, PAST_FORK } from '../postgres/guard.js';
import { REPLICATION_PASS_FILE } from '../postgres/layout.js';
import { lines, sh, type Script } from '../shell/index.js';

/** A file that PostgreSQL needs at its next start, at a promotion, or to fetch WAL, and cannot use. */
export interface UnusableFile {
  readonly path: string;
  /** e.g. `missing`. */
  readonly why: string;
}

/** Prints a line "path, tab, why" for each such file of a database host. */
export function unusableProbe(cluster: Cluster): Script {
  const several = databaseHosts(cluster).length > 1;
  const archive = cluster.postgres.backup === undefined ? [] : [FETCH_WAL];
  const programs = several ? [...archive, PAST_FORK, GUARD] : archive;
  return lines([
    sh`
as_postgres() { setpriv --reuid=postgres --regid=postgres --init-groups "$@"; }
tell() { printf '%s\t%s\n' "$path" "$1"; }`,
    ...programs.map(
      (path) => sh`
path=${path}
if [ ! -e "$path" ]; then tell missing
elif [ ! -f "$path" ] || ! as_postgres test -x "$path"; then tell 'not executable'; fi`,
    ),
    ...(several
      ? [
          sh`
path=${REPLICATION_PASS_FILE}
if [ ! -e "$path" ]; then tell missing
elif ! as_postgres test -r "$path"; then tell 'not readable by postgres'
elif [ -n "$(find "$path" -perm /077)" ]; then tell 'open to others, so PostgreSQL does not read it'; fi`,
        ]
      : []),
  ]);
}

/** Reads what {@link unusableProbe} printed. */
export function parseUnusable(text: string): readonly UnusableFile[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [path, why] = line.split('\t');
      if (path === undefined || why === undefined) throw new Error(`not "path, why": ${line}`);
      return { path, why };
    });
}
