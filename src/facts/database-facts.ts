import { parseDataWal, WAL_OF, type DataWal } from '../postgres/data-wal.js';
import { CUT_RESTORE, parseCutRestore } from '../postgres/cut-restore.js';
import { FENCE_FILE } from '../postgres/layout.js';
import { OLD_FOLDER } from '../postgres/old-data.js';
import { raw, sh, type Script } from '../shell/index.js';

/** A PostgreSQL data directory found on a host, whoever made it. */
export interface FoundDatabase {
  readonly directory: string;
  /** PostgreSQL's own name for a cluster and all its copies. */
  readonly systemIdentifier: string;
  /** The newest that it knows: of its last checkpoint, or of a promotion since. */
  readonly timeline: number;
  /** It follows a primary (`standby.signal`). Data without it takes writes as soon as it is started. */
  readonly standby: boolean;
  /** pg_controldata's words, e.g. `in production`, `in archive recovery`, `shut down`. */
  readonly state: string;
  /** `compared`: a rejoin started it by itself to compare its rows, or was cut then. Undefined: not told. */
  readonly server?: 'runs' | 'stopped' | 'compared';
  readonly wal?: DataWal;
}

/**
 * Prints a line per data directory below /var/lib/postgresql, running or not. What holds a
 * `global/pg_control` holds data, unless the marker of postgresCluster says that it is half-made and new. And a line
 * `restoring`, with to where, where a restore in place has not come to its end, `making` where data is made or copied, or that was cut, and
 * `fenced` where the guard keeps it down.
 */
export function databaseProbe(): Script {
  return sh`
${raw(WAL_OF)}
for control in /var/lib/postgresql/*/*/global/pg_control; do
  [ -s "$control" ] || continue
  directory=\${control%/global/pg_control}
  cluster=\${directory#/var/lib/postgresql/}
  [ ! -e "/var/lib/odoo-prov/postgres-\${cluster%/*}-\${cluster#*/}.making" ] || continue
  version=$(cat "$directory/PG_VERSION")
  server=stopped
  case $cluster in */main) [ ! -e ${OLD_FOLDER} ] || server=compared ;; esac
  if systemctl is-active --quiet "postgresql@\${cluster%/*}-\${cluster#*/}.service"; then server=runs; fi
  wal=$(wal_of "/usr/lib/postgresql/$version/bin" "$directory")
  standby=no
  if [ -e "$directory/standby.signal" ]; then standby=yes; fi
  # A promotion writes it at once, the control file only with the checkpoint that follows.
  history=$(ls "$directory/pg_wal" 2>/dev/null | sed -n 's/\.history$//p' | tail -n 1)
  "/usr/lib/postgresql/$version/bin/pg_controldata" "$directory" | awk -F ': *' -v directory="$directory" -v standby=$standby \
    -v history="$(printf %d "0x\${history:-0}")" -v server=$server -v wal="$wal" '
    /^Database system identifier/ { id = $2 }
    /^Database cluster state/ { state = $2 }
    /^Latest checkpoint.s TimeLineID/ { timeline = $2 }
    END {
      if (history + 0 > timeline + 0) timeline = history
      printf "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", directory, id, timeline, standby, state, server, wal
    }'
done
${raw(CUT_RESTORE)}
if [ -e ${FENCE_FILE} ]; then echo "fenced $(head -n 1 ${FENCE_FILE})"; fi
for making in ${raw('/var/lib/odoo-prov/postgres-*.making')}; do
  [ ! -e "$making" ] || echo making
done`;
}

/**
 * Of a restore in place that has not come to its end, as {@link databaseProbe} found it: the words of the command that say
 * to where, empty where they are not known; null where there is none.
 */
export function parseRestoring(output: string): string | null {
  const [words = null] = output.split('\n').flatMap((line) => parseCutRestore(line) ?? []);
  return words;
}

/** Whether {@link databaseProbe} found data that is being made, or whose making was cut. */
export function parseMaking(output: string): boolean {
  return output.split('\n').includes('making');
}

/** Since when and why the guard keeps a primary's data down, as {@link databaseProbe} found it; null where it does not. */
export function parseFenced(output: string): string | null {
  const line = output.split('\n').find((one) => one.startsWith('fenced '));
  return line?.slice('fenced '.length) ?? null;
}

/** The data of the cluster itself, not of a copy that was restored beside it or kept. */
export function ownData(found: readonly FoundDatabase[]): FoundDatabase | undefined {
  return found.find(({ directory }) => directory.endsWith('/main'));
}

/** Reads what {@link databaseProbe} printed. */
export function parseDatabases(output: string): readonly FoundDatabase[] {
  return output
    .split('\n')
    .filter((line) => line.includes('\t'))
    .map((line) => {
      const [directory = '', systemIdentifier = '', timeline = '0', standby = '', ...rest] =
        line.split('\t');
      const [state = '', server, wal] = rest;
      const known = parseDataWal(wal);
      return {
        directory,
        systemIdentifier,
        timeline: Number(timeline),
        standby: standby === 'yes',
        state,
        ...((server === 'runs' || server === 'stopped' || server === 'compared') && { server }),
        ...(known !== undefined && { wal: known }),
      };
    });
}
