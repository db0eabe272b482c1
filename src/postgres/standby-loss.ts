import { hostsWith } from '../inventory/cluster.js';
import { absentFile, ALONE_FILE, file, unit } from '../resource/index.js';
import type { Resource } from '../resource/kind.js';
import type { Site } from '../role/role.js';
import { binFolder, dataFolder, versionOf } from './layout.js';
import { watchService } from './watch-service.js';

/** Lets the primary commit alone: `… alone REASON`. */
export const STANDBY_LOSS_PROGRAM = '/usr/lib/odoo-prov/postgres-standby-loss';
const CONFIG = '/etc/odoo-prov/postgres-standby-loss.conf';
const SERVICE = 'odoo-prov-postgres-standby-loss.service';

/**
 * With synchronous replication: what watches over the last standby on the host that is primary. It is on every
 * database host, so that a promotion changes no file, and with `block` too, since a failover may be told to go on
 * alone. Its folders are the guard's.
 */
export function standbyLoss(site: Site): readonly Resource[] {
  const { replication } = site.cluster.postgres;
  const version = versionOf(site);
  const conf = `/etc/postgresql/${String(version)}/main`;
  if (replication.synchronous === 'off') {
    return [unit({ name: SERVICE, running: false }), absentFile(`${conf}/${ALONE_FILE}`)];
  }
  const candidates = hostsWith(site.written, 'pg-primary', 'pg-standby');
  const data = {
    data: dataFolder(version),
    conf,
    bin: binFolder(version),
    standbys: candidates.map(({ name }) => `'${name}'`).join(', '),
    onStandbyLoss: replication.onStandbyLoss,
  };
  return [
    file({
      path: STANDBY_LOSS_PROGRAM,
      content: site.asset('postgres/standby-loss.sh'),
      mode: '0755',
    }),
    file({ path: CONFIG, content: site.template('postgres/standby-loss.conf.hbs', data) }),
    ...watchService({
      name: SERVICE,
      description: 'What a synchronous PostgreSQL primary does without a standby',
      program: STANDBY_LOSS_PROGRAM,
      config: CONFIG,
    }),
  ];
}
