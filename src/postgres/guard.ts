import { databaseHosts } from '../inventory/cluster.js';
import { directory, file, unit } from '../resource/index.js';
import type { Resource } from '../resource/kind.js';
import type { Site } from '../role/role.js';
import {
  binFolder,
  dataFolder,
  REPLICATION_PASS_FILE,
  REPLICATION_USER,
  unitOf,
  versionOf,
} from './layout.js';
import { watchService } from './watch-service.js';

/** Asked before PostgreSQL starts, and while it runs. */
export const GUARD = '/usr/lib/odoo-prov/postgres-guard';
const CONFIG = '/etc/odoo-prov/postgres-guard.conf';
/** Whether a standby's WAL goes on where another one took over: the guard asks it, and the one who fetches WAL. */
export const PAST_FORK = '/usr/lib/odoo-prov/past-fork';
const SERVICE = 'odoo-prov-postgres-guard.service';

/** A server that dies is started again: Debian's unit leaves it down. */
const AGAIN = `Restart=on-failure
RestartSec=1
`;

/** Lines for the drop-in of PostgreSQL's unit: asks the guard first, and again while it says wait. */
export const GUARDED_START = `StartLimitIntervalSec=0

[Service]
ExecStartPre=${GUARD} start
${AGAIN}`;

/** The same where nobody else can take writes, and nobody needs to be asked. */
export const LONE_START = `StartLimitIntervalSec=0

[Service]
${AGAIN}`;

/** Whether a cluster needs the guard: with one database host nobody else can take writes. */
export function isGuarded(site: Site): boolean {
  return databaseHosts(site.written).length > 1;
}

/** The guard's files; they must be there before PostgreSQL's unit names it. */
export function guardFiles(site: Site): readonly Resource[] {
  const version = versionOf(site);
  const peers = databaseHosts(site.written).filter(({ name }) => name !== site.host.name);
  const data = {
    peers: peers.map(({ address }) => address).join(' '),
    role: REPLICATION_USER,
    passFile: REPLICATION_PASS_FILE,
    bin: binFolder(version),
    data: dataFolder(version),
    unit: unitOf(version),
    loneStart: site.cluster.postgres.loneStart,
  };
  return [
    directory({ path: '/etc/odoo-prov', mode: '0700' }),
    directory({ path: '/usr/lib/odoo-prov' }),
    file({ path: PAST_FORK, content: site.asset('postgres/past-fork.sh'), mode: '0755' }),
    file({ path: GUARD, content: site.asset('postgres/guard.sh'), mode: '0755' }),
    file({ path: CONFIG, content: site.template('postgres/guard.conf.hbs', data) }),
  ];
}

/** The watch over a server that runs; off where nobody else can take writes any more. */
export function guardService(site: Site): readonly Resource[] {
  if (!isGuarded(site)) return [unit({ name: SERVICE, running: false })];
  return watchService({
    name: SERVICE,
    description: 'Stops a PostgreSQL primary that was replaced',
    program: GUARD,
    config: CONFIG,
  });
}
