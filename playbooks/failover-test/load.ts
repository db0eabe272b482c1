import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { hostsWith, type Cluster } from '../../src/inventory/cluster.js';
import type { Login } from '../../src/load/pg-connection.js';
import { OdooUsers } from '../../src/load/odoo-users.js';
import { Writers } from '../../src/load/writers.js';
import { messagesOf } from '../../src/failover-test/users.js';
import { PGBOUNCER_PORT } from '../../src/odoo/layout.js';
import type { Hosts } from './hosts.js';
import { MARK, type OdooTestData } from './odoo-data.js';
import { storedJobs, TABLE } from './table.js';

/** Clients that write at the same time. */
export const CLIENTS = 6;
/** Users of Odoo who work at the same time. */
export const USERS = 4;
const HTTPS_PORT = 443;
/**
 * Seconds until a message has reached everybody, and a job is done, at the latest: a cron worker that was not woken
 * looks by itself every 60 s.
 */
const DRAIN_SECONDS = 130;

export interface LoadOptions {
  readonly hosts: Hosts;
  readonly cluster: Cluster;
  readonly login: Login;
  /** Undefined where Odoo is not part of the test. */
  readonly odoo: OdooTestData | undefined;
  readonly now: () => number;
}

/** What a scenario runs under: writers through PgBouncer, and users of Odoo through the edges. */
export interface Load {
  readonly writers: Writers;
  readonly users: OdooUsers | undefined;
  /** The users' name in the edges' logs; of this scenario only. */
  readonly agent: string;
  /** Names of what the users make begin with it; of this scenario only. */
  readonly mark: string;
}

/**
 * The load of one scenario, not yet started. All of it goes over the SSH connections of the hosts concerned, as far as
 * the host itself: it works from wherever `apply` works, whatever a firewall lets through to the edges.
 */
export function makeLoad({ hosts, cluster, login, odoo, now }: LoadOptions): Load {
  const run = randomBytes(6).toString('hex');
  const agent = `odoo-prov-failover-test/${run}`;
  const mark = `${MARK} ${run}`;
  const waysTo = (
    role: 'pgbouncer' | 'edge',
    port: number,
  ): ConstructorParameters<typeof Writers>[0]['ways'] =>
    hostsWith(cluster, role).map(({ name, address }) => ({
      host: name,
      open: () => hosts.session(name).forward(address, port),
    }));
  const writers = new Writers({
    ...{ clients: CLIENTS, login, table: TABLE, now },
    ways: waysTo('pgbouncer', PGBOUNCER_PORT),
  });
  if (odoo === undefined) return { writers, users: undefined, agent, mark };
  const { database, domain } = cluster.odoo;
  const users = new OdooUsers({
    ...{ clients: USERS, bait: { ...odoo.bait, mark }, now },
    access: {
      ...{ ways: waysTo('edge', HTTPS_PORT), domain, database, agent },
      ...{ login: odoo.login, password: odoo.password },
    },
  });
  return { writers, users, agent, mark };
}

/**
 * Stops asking for anything new, and waits until what was asked for has arrived: messages at their listeners, jobs
 * done. What has not arrived when the time is over never did.
 */
export async function drain(
  { writers, users }: Load,
  hosts: Hosts,
  primary: string,
  { odoo }: Cluster,
  stop: AbortSignal,
): Promise<void> {
  await Promise.all([writers.stop(), users?.rest()]);
  if (users === undefined) return;
  const end = performance.now() + DRAIN_SECONDS * 1000;
  while (performance.now() < end && !stop.aborted) {
    const all = messagesOf(users.ledger, users.received);
    const jobs = await storedJobs(hosts, primary, odoo.database);
    const done = jobs.every(({ runs }) => runs > 0);
    if (done && all.every(({ had }) => had.length === users.listeners.length)) break;
    await sleep(500);
  }
  await users.stop();
}
