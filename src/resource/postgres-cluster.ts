import { lines, raw, sh, type Script } from '../shell/index.js';
import type { Kind, Observed, Resource } from './kind.js';

export interface PostgresCluster extends Resource {
  readonly kind: 'postgresCluster';
  /** PostgreSQL's major version. */
  readonly version: number;
  readonly name: string;
  readonly checksums: boolean;
  /** Locale of the templates. */
  readonly locale: string;
}

/**
 * A PostgreSQL cluster in Debian's layout, started at boot. Only ever made where there is no data; data
 * that is there is never touched. `C.UTF-8` sorts the same on every release of the C library, so a standby
 * on another Debian cannot have broken indexes.
 */
export function postgresCluster(options: {
  readonly version: number;
  /** `main` if not given. */
  readonly name?: string;
  /** True if not given. */
  readonly checksums?: boolean;
  readonly locale?: string;
}): PostgresCluster {
  const { version, name = 'main', checksums = true, locale = 'C.UTF-8' } = options;
  const id = `${String(version)}/${name}`;
  return { kind: 'postgresCluster', id, version, name, checksums, locale };
}

/** Where a cluster's parts are. `making` exists from before initdb until the cluster is whole. */
function pathsOf({ version, name }: PostgresCluster): Script {
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
    start=$(grep -oE '^[a-z]+' "$conf/start.conf" 2>/dev/null | head -n 1)
    echo "$1 data $configured \${start:-none} $checksums $identifier"
  elif [ -n "$(ls -A "$data" 2>/dev/null)" ]; then echo "$1 foreign"
  else echo "$1 absent"
  fi
}`;

function parseLine(line: string | undefined): Observed {
  const [, what, configured, start = '', checksums, identifier = ''] = line?.split(' ') ?? [];
  if (what === 'absent') return 'absent';
  if (what === 'foreign') return { initialised: false };
  if (what !== 'data') return { unknown: 'the probe said nothing about it' };
  return {
    initialised: true,
    configured: configured === 'yes',
    start,
    // 0 is off; the number is the algorithm's version.
    checksums: checksums === 'unknown' ? 'unknown' : checksums !== '0',
    identifier,
  };
}

export const postgresClusterKind: Kind<PostgresCluster> = {
  name: 'postgresCluster',
  summary:
    'a PostgreSQL cluster: made with checksums where no data is, never touched where some is',
  limit: 300,

  probe(wanted) {
    const looks = wanted.flatMap((cluster) => [pathsOf(cluster), sh`look ${cluster.id}`]);
    return lines([raw(LOOK), ...looks]);
  },

  parse(output, wanted) {
    const all = output.split('\n');
    return new Map(
      wanted.map(({ id }) => [id, parseLine(all.find((line) => line.startsWith(`${id} `)))]),
    );
  },

  want({ checksums }) {
    return { initialised: true, configured: true, start: 'auto', checksums };
  },

  /**
   * The marker is durable before initdb starts and goes when everything is on disk, and meanwhile nothing
   * can start the cluster (`disabled`): a data directory beside a marker, which never had a postmaster, is
   * half-made and ours, and only such a one is removed. Data whose configuration is lost gets Debian's
   * sample of it, which pg_createcluster moves to its place and completes.
   */
  apply({ resource: cluster }) {
    const { version, name, locale, checksums } = cluster;
    const options = ['--encoding=UTF8', `--locale=${locale}`];
    if (checksums) options.push('--data-checksums');
    else if (version >= 18) options.push('--no-data-checksums');
    return sh`
${pathsOf(cluster)}
umask 022
fail() { echo "$1" >&2; exit 1; }
create() { pg_createcluster --start-conf=disabled --port=5432 ${version} ${name} "$@"; }
if [ -e "$making" ]; then
  [ ! -e "$data/postmaster.opts" ] ||
    fail "$data was being made when odoo-prov was killed, and somebody started it since: look at it, then remove $making to keep it"
  rm -rf -- "$data" "$conf"
  rm -f -- "$making"
fi
if ! [ -s "$data/global/pg_control" ]; then
  [ -z "$(ls -A "$data" 2>/dev/null)" ] || fail "$data holds something that is no PostgreSQL data: move it away"
  [ ! -e "$conf/postgresql.conf" ] ||
    fail "$conf is there but its data in $data is gone: mount or restore it; to begin with an empty cluster, remove $conf"
  mkdir -p /var/lib/odoo-prov
  : >"$making"
  sync "$making" /var/lib/odoo-prov
  create -- ${options}
  sync
  rm -f -- "$making"
elif ! [ -e "$conf/postgresql.conf" ] || [ -e "$making.conf" ]; then
  mkdir -p /var/lib/odoo-prov
  : >"$making.conf"
  sync "$making.conf" /var/lib/odoo-prov
  for file in postgresql.conf pg_hba.conf pg_ident.conf; do
    rm -f -- "$conf/$file"
    cp ${`/usr/share/postgresql/${String(version)}`}/"$file.sample" "$data/$file"
    chown postgres:postgres "$data/$file"
  done
  create
  sync
  rm -f -- "$making.conf"
fi
found=$("$bin/pg_controldata" "$data" | sed -n 's/^Data page checksum version: *//p')
case $found in ${raw(checksums ? '[1-9]*' : '0')}) ;; *)
  fail "$data has checksum version $found: to change it, stop the cluster and run pg_checksums --${raw(checksums ? 'enable' : 'disable')} -D $data as postgres" ;;
esac
if [ "$(grep -oE '^[a-z]+' "$conf/start.conf" 2>/dev/null | head -n 1)" != auto ]; then
  echo auto >"$conf/.start.conf.new"
  chown postgres:postgres "$conf/.start.conf.new"
  mv -f "$conf/.start.conf.new" "$conf/start.conf"
  systemctl daemon-reload
fi`;
  },

  hazard({ resource, have }) {
    if (have !== 'absent') return undefined;
    return { type: 'creates-database', what: `the PostgreSQL cluster ${resource.id}` };
  },
};
