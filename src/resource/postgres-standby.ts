import { sh } from '../shell/index.js';
import type { Kind, Resource } from './kind.js';
import {
  adoptData,
  LOST,
  parseData,
  pathsOf,
  probeData,
  removeHalfMade,
  startAtBoot,
} from './postgres-data.js';

export interface PostgresStandby extends Resource {
  readonly kind: 'postgresStandby';
  /** PostgreSQL's major version. */
  readonly version: number;
  readonly name: string;
  /** The primary to copy from: address, role, the file with its password, and the slot that is kept for us. */
  readonly primary: string;
  readonly user: string;
  readonly passFile: string;
  readonly slot: string;
  /** PostgreSQL's own name for the cluster; undefined while it is being made. */
  readonly systemIdentifier?: string;
}

/**
 * A copy of the primary that follows it, in Debian's layout. Made by pg_basebackup only where there is no
 * data; data that is there is never touched, and an old primary's never started: rejoin does that.
 */
export function postgresStandby(options: {
  readonly version: number;
  readonly primary: string;
  readonly user: string;
  readonly passFile: string;
  readonly slot: string;
  readonly systemIdentifier?: string;
}): PostgresStandby {
  const id = `${String(options.version)}/main`;
  return { kind: 'postgresStandby', id, name: 'main', ...options };
}

export const postgresStandbyKind: Kind<PostgresStandby> = {
  name: 'postgresStandby',
  summary: "a copy of the primary's data that follows it: cloned where no data is",
  // A terabyte over a gigabit network takes three hours.
  limit: 24 * 3600,

  probe: probeData,

  // What is lost here is on the primary: it is cloned.
  parse: (output, wanted) =>
    new Map(
      wanted.map((one) => {
        const found = parseData(output, one);
        return [one.id, found === LOST ? 'absent' : found];
      }),
    ),

  want: ({ systemIdentifier }) => ({
    initialised: true,
    configured: true,
    standby: true,
    start: 'auto',
    ...(systemIdentifier !== undefined && { identifier: systemIdentifier }),
  }),

  /**
   * The clone is known to be whole when the marker goes; one that was cut begins anew. `standby.signal` is
   * there before it can ever be started.
   */
  apply({ resource: standby }) {
    const { primary, user, passFile, slot, systemIdentifier = '' } = standby;
    return sh`
${pathsOf(standby)}
umask 022
keep_conf=yes
${removeHalfMade}
# libpq looks for certificates in $HOME, which is root's here.
as_postgres() { (cd / && HOME=/var/lib/postgresql exec setpriv --reuid=postgres --regid=postgres --init-groups "$@"); }
if [ -s "$data/global/pg_control" ]; then
  found=$("$bin/pg_controldata" "$data" | sed -n 's/^Database system identifier: *//p')
  case ${systemIdentifier} in '' | "$found") ;; *)
    fail "$data holds another PostgreSQL cluster ($found) than the primary's: if it is not needed, move it away, and it is cloned" ;;
  esac
  [ -e "$data/standby.signal" ] ||
    fail "$data was a primary's, and writes have gone on elsewhere since: it may hold rows that nobody else has, so it is neither started nor replaced here; odoo-prov rejoin makes it a standby"
else
  [ -z "$(ls -A "$data" 2>/dev/null)" ] || fail "$data holds something that is no PostgreSQL data: move it away"
  mkdir -p /var/lib/odoo-prov
  : >"$making"
  sync "$making" /var/lib/odoo-prov
  install -d -o postgres -g postgres -m 755 "$(dirname "$data")"
  install -d -o postgres -g postgres -m 700 "$data"
  status=$(mktemp)
  {
    as_postgres env PGPASSFILE=${passFile} PGCONNECT_TIMEOUT=10 PGSSLMODE=require "$bin/pg_basebackup" \
      -h ${primary} -p 5432 -U ${user} -w -D "$data" -S ${slot} -X stream -c fast -P 2>&1 ||
      echo failed >"$status"
  } | tr '\r' '\n' | sed -u -n -E 's|^ *([0-9]+)/([0-9]+) kB \(([0-9]+)%\).*|progress \3% cloning \1 of \2 kB|p; t; p'
  if [ -s "$status" ]; then
    rm -f "$status"
    fail "the clone from ${primary} broke off: what it copied is removed at the next attempt"
  fi
  rm -f "$status"
  # Where the primary is one that was restored and not told yet to forget to where: a copy would end there, too.
  sed -i '/^recovery_target/d' "$data/postgresql.auto.conf"
  : >"$data/standby.signal"
  chown postgres:postgres "$data/standby.signal"
  sync
  rm -f -- "$making"
fi
${adoptData(standby)}
${startAtBoot}`;
  },
};
