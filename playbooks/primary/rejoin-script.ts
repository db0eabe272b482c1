import { REPLICATION_PASS_FILE, REPLICATION_USER } from '../../src/postgres/layout.js';
import { COPY_LOCK } from '../../src/resource/index.js';
import { raw, type Script } from '../../src/shell/index.js';
import { REJOIN_MARKER } from './rejoin-look.js';
import { SQL_FUNCTION } from './sight.js';
import { startServer, STOP_IF_LESS } from './start-server.js';

/** Shell: keeps it down over reboots, whatever its data looks like meanwhile. */
export const FENCE = `mkdir -p /var/lib/odoo-prov
echo "$(date -u +%Y-%m-%dT%H:%M:%SZ): it is being made a standby" >/var/lib/odoo-prov/postgres-fenced.new
sync /var/lib/odoo-prov/postgres-fenced.new
mv -f /var/lib/odoo-prov/postgres-fenced.new /var/lib/odoo-prov/postgres-fenced`;

/** Shell: a name beside the data folder that nothing has yet. */
function freeName(timeline: number): string {
  return `kept=$data.before-rejoin-${String(timeline)}
number=2
while [ -e "$kept" ]; do
  kept=$data.before-rejoin-${String(timeline)}-$number
  number=$((number + 1))
done`;
}

/** Shell: `require_room KILOBYTES WHAT`, on the file system that will hold it: of the folder around the data. */
const REQUIRE_ROOM = `require_room() {
  parent=$(dirname "$data")
  free=$(df -Pk "$parent" | awk 'NR == 2 { print $4 }')
  if [ "$free" -lt "$1" ]; then
    older=
    for path in "$data".before-rejoin-*; do
      if [ -e "$path" ]; then older="$older\${older:+, }$path"; fi
    done
    cat >&2 <<EOF
no room in $parent for $2
expected: $1 kB free
found: $free kB
next: make room there\${older:+ (older data: $older)}, or move $data to another disk; then run the same command again
EOF
    exit 1
  fi
}`;

/** Copies the data aside, by reference where the file system can. Prints where. */
export function copyAside(timeline: number): Script {
  return raw(`${SQL_FUNCTION}
${REQUIRE_ROOM}
${freeName(timeline)}
rm -rf "$data.copying"
if cp --reflink=always "$data/PG_VERSION" "$data.copying" 2>/dev/null; then :
else require_room "$(du -sk "$data" | awk '{ print int($1 * 1.02) }')" 'a copy of the old data'
fi
rm -rf "$data.copying"
cp -a --reflink=auto "$data" "$data.copying"
sync
mv "$data.copying" "$kept"
echo "$kept"`);
}

/** What {@link rewind} prints last where it could be done. */
export const REWOUND = 'rewound: only what differed was copied';
/** The same, where its data has nothing that the primary lacks; then pg_rewind compares and copies nothing. */
export const NOT_COMPARED =
  'nothing was to be taken back; the data was not compared (where it is damaged, --clone copies everything anew)';

/**
 * pg_rewind: takes back what only this data has. The marker tells an attempt after this one that the data is of no
 * use if it was cut.
 * @param timeline the primary's
 */
export function rewind(source: string, timeline: number): Script {
  const conninfo = `host=${source} port=5432 user=${REPLICATION_USER} dbname=postgres sslmode=require passfile=${REPLICATION_PASS_FILE}`;
  return raw(`${SQL_FUNCTION}
if ! as_postgres "$bin/psql" -XAtqw "${conninfo}" -c 'select 1' >/dev/null; then
  echo 'the primary cannot be reached from here; nothing was changed' >&2
  exit 1
fi
said=$(mktemp)
archive=
if [ -n "$(as_postgres "$bin/postgres" -C restore_command -c config_file="$conf/postgresql.conf")" ]; then archive=-c; fi
${FENCE}
echo "$(stat -c %i "$data") ${String(timeline)}" >${REJOIN_MARKER}.new
sync ${REJOIN_MARKER}.new
mv -f ${REJOIN_MARKER}.new ${REJOIN_MARKER}
sync /var/lib/odoo-prov
# Data that is rewound in part is no standby's: with this file the guard would let it start after a power cut, and apply too.
standby=no
if [ -e "$data/standby.signal" ]; then standby=yes; rm "$data/standby.signal"; sync "$data"; fi
# A server that was killed must end its recovery before it can be rewound; pg_rewind does that itself. Not a standby's, which
# would write WAL of its own then: it is copied.
if as_postgres "$bin/pg_rewind" --target-pgdata="$data" --source-server="${conninfo}" \\
    --config-file="$conf/postgresql.conf" $archive --no-ensure-shutdown 2>"$said" || { [ "$standby" = no ] &&
  as_postgres "$bin/pg_rewind" --target-pgdata="$data" --source-server="${conninfo}" \\
    --config-file="$conf/postgresql.conf" $archive 2>"$said"; }; then
  sync
  install -o postgres -g postgres -m 600 /dev/null "$data/standby.signal"
  sync
  rm -f ${REJOIN_MARKER}
  if grep -q 'no rewind required' "$said"; then echo '${NOT_COMPARED}'; else echo '${REWOUND}'; fi
else
  sed 's/^/pg_rewind: /' "$said" | tail -n 3
fi
rm -f "$said"`);
}

export interface CloneOptions {
  /** The primary's address. */
  readonly source: string;
  readonly slot: string;
  /** How much room it takes. */
  readonly kilobytes: number;
  /** Of the data that is replaced. */
  readonly timeline: number;
  /** Whether that is kept beside the new. */
  readonly keep: boolean;
}

/**
 * Copies everything from the primary in place of what is there. Cut before the copy is whole, it leaves a host
 * without data, or with data that is marked as half-made: both are cloned by the next apply.
 * Prints where the old data is.
 */
export function cloneInPlace({ source, slot, kilobytes, timeline, keep }: CloneOptions): Script {
  return raw(`${SQL_FUNCTION}
${REQUIRE_ROOM}
require_room ${String(kilobytes)} 'a copy of the primary'
mkdir -p /run/odoo-prov
exec 7>>${COPY_LOCK}
flock -n 7 || { echo 'another rejoin copies everything here, and goes on by itself where it was killed' >&2; exit 1; }
${freeName(timeline)}
making=/var/lib/odoo-prov/postgres-$version-main.making
${FENCE}
mv "$data" "$kept"
sync "$(dirname "$data")"
: >"$making"
sync "$making" /var/lib/odoo-prov
install -d -o postgres -g postgres -m 700 "$data"
PGPASSFILE=${REPLICATION_PASS_FILE} PGSSLMODE=require as_postgres "$bin/pg_basebackup" -h ${source} \\
  -p 5432 -U ${REPLICATION_USER} -w -D "$data" -S ${slot} -X stream -c fast
install -o postgres -g postgres -m 600 /dev/null "$data/standby.signal"
sync
rm -f "$making" ${REJOIN_MARKER}
${keep ? '' : 'rm -rf "$kept"'}
echo "$kept"`);
}

/** Starts data that is a standby's now. Prints what it has less of than its primary, where it does not start with that. */
export function followScript(): Script {
  return startServer(
    `[ -e "$data/standby.signal" ] || install -o postgres -g postgres -m 600 /dev/null "$data/standby.signal"
sync "$data/standby.signal" "$data"
rm -f ${REJOIN_MARKER} /var/lib/odoo-prov/postgres-fenced
systemctl reset-failed "$unit" 2>/dev/null || :`,
    STOP_IF_LESS,
  );
}
