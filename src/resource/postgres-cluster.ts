import { raw, sh } from '../shell/index.js';
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

export const postgresClusterKind: Kind<PostgresCluster> = {
  name: 'postgresCluster',
  summary:
    'a PostgreSQL cluster: made with checksums where no data is, never touched where some is',
  limit: 300,

  probe: probeData,

  parse: (output, wanted) => new Map(wanted.map((one) => [one.id, parseData(output, one)])),

  want({ checksums }) {
    return { initialised: true, configured: true, start: 'auto', checksums };
  },

  /**
   * The marker is durable before initdb starts and goes when everything is on disk, and meanwhile nothing
   * can start the cluster (`disabled`). Data whose configuration is lost gets Debian's sample of it.
   */
  apply({ resource: cluster }) {
    const { version, name, locale, checksums } = cluster;
    const options = ['--encoding=UTF8', `--locale=${locale}`];
    if (checksums) options.push('--data-checksums');
    else if (version >= 18) options.push('--no-data-checksums');
    return sh`
${pathsOf(cluster)}
umask 022
${removeHalfMade}
if ! [ -s "$data/global/pg_control" ]; then
  [ -z "$(ls -A "$data" 2>/dev/null)" ] || fail "$data holds something that is no PostgreSQL data: move it away"
  [ ! -e "$conf/postgresql.conf" ] ||
    fail "$conf is there but its data in $data is gone: mount or restore it"
  mkdir -p /var/lib/odoo-prov
  : >"$making"
  sync "$making" /var/lib/odoo-prov
  # What the guard knows is of data that is gone.
  rm -f /var/lib/odoo-prov/postgres-fenced /var/lib/odoo-prov/postgres-had-standby
  pg_createcluster --start-conf=disabled --port=5432 ${version} ${name} -- ${options}
  sync
  rm -f -- "$making"
fi
${adoptData(cluster)}
found=$("$bin/pg_controldata" "$data" | sed -n 's/^Data page checksum version: *//p')
case $found in ${raw(checksums ? '[1-9]*' : '0')}) ;; *)
  fail "$data has checksum version $found: to change it, stop the cluster and run pg_checksums --${raw(checksums ? 'enable' : 'disable')} -D $data as postgres" ;;
esac
${startAtBoot}`;
  },

  hazard({ resource, have }) {
    if (have !== 'absent' && have !== LOST) return undefined;
    return {
      type: 'creates-database',
      what: `the PostgreSQL cluster ${resource.id}`,
      ...(have === LOST && { trace: `/etc/postgresql/${resource.id}` }),
    };
  },
};
