import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { finishAll } from '../../src/concurrency/finish-all.js';
import {
  backupHost,
  databaseHosts,
  hostsWith,
  type Cluster,
  type Host,
} from '../../src/inventory/cluster.js';
import { Failure } from '../../src/failure/failure.js';
import { FailoverTestLock } from '../../src/run/failover-test-lock.js';
import { raw, strict, type Script } from '../../src/shell/index.js';
import { classifyCommandFailure, createConnector } from '../../src/transport/index.js';
import type { ConnectOptions, Connector, ForwardingSession } from '../../src/transport/session.js';
import { SQL_FUNCTION } from '../primary/sight.js';
import { thisRun } from '../this-run.js';

/** Seconds for a host that was healed to answer to SSH. */
const RECONNECT_SECONDS = 30;

/** The hosts of the database tier: databases, poolers, and where the archive is. */
export function databaseTier(cluster: Cluster): readonly Host[] {
  const backup = backupHost(cluster);
  const hosts = [...databaseHosts(cluster), ...hostsWith(cluster, 'pgbouncer')];
  return [...new Set([...hosts, ...(backup === undefined ? [] : [backup])])];
}

/** The hosts of Odoo: edges, Odoo itself, and where the sessions are. */
export function odooTier(cluster: Cluster): readonly Host[] {
  return hostsWith(cluster, 'edge', 'app', 'cron', 'gevent', 'redis');
}

/** Connections to the tested hosts, and what is asked over them. */
export class Hosts {
  /** By this the test's own moves and applies are told from those of others. */
  readonly test = randomBytes(8).toString('hex');
  readonly connector: Connector = createConnector();
  readonly #sessions = new Map<string, ForwardingSession>();
  readonly #locks = new Map<string, FailoverTestLock>();
  readonly #runner = { ...thisRun(), failoverTest: this.test };
  readonly #connect: ConnectOptions;

  /** @param connect without a signal: a fault is healed also when everything else is stopped */
  constructor(connect: ConnectOptions) {
    this.#connect = connect;
  }

  /** Connects to those that it has no connection to. @throws Failure of the first that cannot be reached */
  async connect(hosts: readonly Host[]): Promise<void> {
    const ends = await Promise.allSettled(
      hosts.map(async (host) => {
        if (this.#sessions.has(host.name)) return;
        this.#sessions.set(host.name, await this.connector.connect(host, this.#connect));
      }),
    );
    const failed = ends.find((end) => end.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  /**
   * Keeps other tests, and whatever takes apply's lock, off hosts until {@link close}, or until the connection ends.
   * @throws Failure run-lock, naming who has one of them
   */
  async keep(hosts: readonly Host[]): Promise<void> {
    await finishAll(
      hosts.map(async ({ name }) => {
        this.#locks.set(name, await FailoverTestLock.take(this.session(name), this.#runner));
      }),
    );
  }

  session(host: string): ForwardingSession {
    const session = this.#sessions.get(host);
    if (session === undefined) throw new Error(`${host} is not connected`);
    return session;
  }

  /** Runs a script; what it printed. @param limit seconds @throws Failure when it fails */
  async run(host: string, script: Script, limit = 60): Promise<string> {
    const answer = await this.session(host).run(strict(script), { limit });
    if (answer.code === 0) return answer.stdout.trim();
    throw classifyCommandFailure(host, undefined, answer);
  }

  /**
   * Connects to a host anew, keeps it as before, and asks it.
   * @returns undefined while it cannot be reached
   * @throws Failure run-lock, where somebody else has taken it meanwhile
   */
  async reconnected(host: Host, script: Script): Promise<string | undefined> {
    try {
      await this.#sessions.get(host.name)?.close();
      this.#sessions.set(
        host.name,
        await this.connector.connect(host, { ...this.#connect, limit: 5 }),
      );
      const answer = await this.run(host.name, script, 10);
      if (this.#locks.has(host.name)) await this.keep([host]);
      return answer;
    } catch (error) {
      if (error instanceof Failure && error.reason !== 'run-lock') return undefined;
      throw error;
    }
  }

  /** Connects anew to a host that is back. @throws Failure when it does not answer within half a minute */
  async reconnect(host: Host): Promise<void> {
    const end = performance.now() + RECONNECT_SECONDS * 1000;
    while ((await this.reconnected(host, raw(':'))) === undefined) {
      if (performance.now() < end) {
        await sleep(500);
        continue;
      }
      throw new Failure({
        reason: 'unreachable',
        host: host.name,
        message: 'it does not answer to SSH after it was healed',
        expected: `an answer within ${RECONNECT_SECONDS} s`,
        remedy: 'odoo-prov status FILE shows when it is back',
      });
    }
  }

  /** One statement, or several, as the superuser in a database of a host; rows as lines. @param limit seconds */
  sql(host: string, database: string, statements: string, limit = 60): Promise<string> {
    const script = raw(`${SQL_FUNCTION}
sql <<'EOF'
\\connect "${database}"
set client_min_messages = warning;
${statements}
EOF`);
    return this.run(host, script, limit);
  }

  /** Whether a statement's answer is this one; not when it fails. */
  async says(host: string, statement: string, answer: string): Promise<boolean> {
    try {
      return (await this.sql(host, 'postgres', statement, 10)) === answer;
    } catch (error) {
      if (error instanceof Failure) return false;
      throw error;
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#locks.values()].map((lock) => lock.release()));
    await Promise.all([...this.#sessions.values()].map((session) => session.close()));
    await this.connector.close();
  }
}
