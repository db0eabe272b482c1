import { lines, raw, sh, type Script } from '../shell/index.js';
import type { Observed } from './kind.js';

/** A data directory in Debian's layout: what primaries and standbys have in common. */
export interface PostgresData {
  readonly id: string;
  /** PostgreSQL's major version. */
  readonly version: number;
  readonly name: string;
}

/**
 * Where a cluster's parts are, as shell variables. `making` exists from before the first byte of data until
 * the data is whole; `making.conf` the same for the configuration.
 */
export function pathsOf({ version, name }: PostgresData): Script {
  const cluster = `${String(version)}/${name}`;
  return sh`data=${`/var/lib/postgresql/${cluster}`}
conf=${`/etc/postgresql/${cluster}`}
making=${`/var/lib/odoo-prov/postgres-${cluster.replace('/', '-')}.making`}
bin=${`/usr/lib/postgresql/${String(version)}/bin`}`;
}

const LOOK = `
look() {
  if [ -e "$making" ]; then echo "$1 absent"
  elif [ -s "$data/global/pg_control" ] && [ -e "$data/PG_VERSION" ]; then
    checksums=unknown identifier=unknown
    if [ -x "$bin/pg_controldata" ]; then
      control=$("$bin/pg_controldata" "$data")
      checksums=$(printf '%s\\n' "$control" | sed -n 's/^Data page checksum version: *//p')
      identifier=$(printf '%s\\n' "$control" | sed -n 's/^Database system identifier: *//p')
    fi
    configured=no
    if [ -e "$conf/postgresql.conf" ] && ! [ -e "$making.conf" ]; then configured=yes; fi
    standby=no
    if [ -e "$data/standby.signal" ]; then standby=yes; fi
    start=$(grep -oE '^[a-z]+' "$conf/start.conf" 2>/dev/null | head -n 1)
    echo "$1 data $configured \${start:-none} $checksums $identifier $standby"
  elif [ -n "$(ls -A "$data" 2>/dev/null)" ]; then echo "$1 foreign"
  elif [ -e "$conf/postgresql.conf" ] && ! [ -e "$making.conf" ]; then echo "$1 lost"
  else echo "$1 absent"
  fi
}`;

/** There is no data, and a configuration: there was some. */
export const LOST = { initialised: false, configured: true } as const;

/** Prints a line for each data directory; {@link parseData} reads them. */
export function probeData(wanted: readonly PostgresData[]): Script {
  return lines([raw(LOOK), ...wanted.flatMap((one) => [pathsOf(one), sh`look ${one.id}`])]);
}

/** Reads what {@link probeData} printed of one data directory. */
export function parseData(output: string, { id }: PostgresData): Observed {
  const line = output.split('\n').find((l) => l.startsWith(`${id} `));
  const [, what, configured, start = '', checksums, identifier = '', standby] =
    line?.split(' ') ?? [];
  if (what === 'absent') return 'absent';
  if (what === 'foreign') return { initialised: false };
  if (what === 'lost') return LOST;
  if (what !== 'data') return { unknown: 'the probe said nothing about it' };
  return {
    initialised: true,
    configured: configured === 'yes',
    start,
    // 0 is off; the number is the algorithm's version.
    checksums: checksums === 'unknown' ? 'unknown' : checksums !== '0',
    identifier,
    standby: standby === 'yes',
  };
}

/** Held while a rejoin copies everything, also on after it was killed: that data is nobody else's to remove. */
export const COPY_LOCK = '/run/odoo-prov/postgres-copy.lock';

/**
 * Removes what a making that was killed left: a data directory beside a marker never had a postmaster, is
 * half-made and ours, and only such a one is removed. Needs {@link pathsOf}.
 */
export const removeHalfMade = raw(`fail() { echo "$1" >&2; exit 1; }
if [ -e "$making" ]; then
  mkdir -p /run/odoo-prov
  flock -n ${COPY_LOCK} true ||
    fail "a rejoin copies everything to $data, and goes on by itself where it was killed: run this again when that has ended (pgrep -a pg_basebackup)"
  [ ! -e "$data/postmaster.opts" ] ||
    fail "$data was being made when odoo-prov was killed, and somebody started it since: look at it, then remove $making to keep it"
  rm -rf -- "$data"
  if [ "\${keep_conf:-no}" = no ]; then rm -rf -- "$conf"; fi
  rm -f -- "$making"
fi`);

/**
 * Gives data that has none a configuration in Debian's layout: its sample, which pg_createcluster moves to
 * its place and completes. Nothing can start it meanwhile. Needs {@link pathsOf}.
 */
export function adoptData({ version, name }: PostgresData): Script {
  return sh`
if ! [ -e "$conf/postgresql.conf" ] || [ -e "$making.conf" ]; then
  mkdir -p /var/lib/odoo-prov
  : >"$making.conf"
  sync "$making.conf" /var/lib/odoo-prov
  for file in postgresql.conf pg_hba.conf pg_ident.conf; do
    rm -f -- "$conf/$file"
    cp ${`/usr/share/postgresql/${String(version)}`}/"$file.sample" "$data/$file"
    chown postgres:postgres "$data/$file"
  done
  pg_createcluster --start-conf=disabled --port=5432 ${version} ${name}
  sync
  rm -f -- "$making.conf"
fi`;
}

/** Lets systemd start it at boot. Needs {@link pathsOf}. */
export const startAtBoot = raw(`
if [ "$(grep -oE '^[a-z]+' "$conf/start.conf" 2>/dev/null | head -n 1)" != auto ]; then
  echo auto >"$conf/.start.conf.new"
  chown postgres:postgres "$conf/.start.conf.new"
  mv -f "$conf/.start.conf.new" "$conf/start.conf"
  systemctl daemon-reload
fi`);
