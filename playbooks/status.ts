import { assumedFacts } from '../src/facts/host-facts.js';
import { Failure } from '../src/failure/failure.js';
import { databaseHosts, type Cluster, type Host } from '../src/inventory/cluster.js';
import { connectionBudget } from '../src/inventory/connection-budget.js';
import { Semaphore } from '../src/concurrency/semaphore.js';
import { runProbe } from '../src/run/run-probe.js';
import { readState, type ClusterState } from '../src/state/cluster-state.js';
import { databaseOf } from '../src/status/database.js';
import { PART_LIMIT, readHost, silentHost, snippetsOf } from '../src/status/host.js';
import type { Budget, ClusterStatus, HostStatus } from '../src/status/model.js';
import { wantedOf } from '../src/status/wanted.js';
import { createConnector } from '../src/transport/index.js';
import type { ConnectOptions, Connector, Session } from '../src/transport/session.js';

/** Seconds until a host's answer is given up; its parts are asked one after the other. */
const HOST_LIMIT = 30;

export interface StatusOptions {
  /** Those to ask, of the cluster's. */
  readonly hosts: readonly Host[];
  /** Hosts asked at the same time. */
  readonly concurrency: number;
  /** `signal` ends the look. */
  readonly connect: ConnectOptions;
}

/**
 * Looks at a cluster as often as it is told to, over connections that stay open: one exec a host and look,
 * all hosts at the same time. Nothing is changed and no lock is taken; an apply may run meanwhile.
 */
export class StatusLook {
  readonly #cluster: Cluster;
  readonly #options: StatusOptions;
  readonly #state: ClusterState;
  readonly #connector: Connector = createConnector();
  readonly #sessions = new Map<string, Session>();

  constructor(cluster: Cluster, options: StatusOptions) {
    this.#cluster = cluster;
    this.#options = options;
    this.#state = readState(cluster.file);
  }

  /**
   * Asks every host once. One that does not answer is part of what was seen.
   * @throws Failure interrupted
   */
  async look(): Promise<ClusterStatus> {
    const at = new Date().toISOString();
    const { hosts: wanted, concurrency } = this.#options;
    const room = new Semaphore(concurrency);
    const hosts = await Promise.all(wanted.map((host) => room.hold(() => this.#ask(host))));
    const cluster = this.#cluster;
    return {
      cluster: cluster.name,
      at,
      database: databaseOf(hosts, cluster.postgres.replication.maxLag),
      budget: this.#budget(),
      wanted: wantedOf(cluster),
      allDatabases: databaseHosts(cluster).every(({ name }) =>
        wanted.some((host) => host.name === name),
      ),
      hosts,
    };
  }

  /** By the facts that the last apply worked with. */
  #budget(): Budget {
    const { expected, worst, pgbouncers, poolSize, postgresPoolSize, maxConnections } =
      connectionBudget(this.#cluster, (host) => assumedFacts(host, this.#state.facts[host.name]));
    return { expected, worst, pgbouncers, poolSize, postgresPoolSize, maxConnections };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#sessions.values()].map((session) => session.close()));
    await this.#connector.close();
  }

  async #ask(host: Host): Promise<HostStatus> {
    try {
      return await this.#askOpen(host);
    } catch (error) {
      if (!(error instanceof Failure) || error.reason === 'interrupted') throw error;
      // The next look begins with a new connection: this one may be dead without knowing it.
      await this.#sessions.get(host.name)?.close();
      this.#sessions.delete(host.name);
      return silentHost(host, error);
    }
  }

  async #askOpen(host: Host): Promise<HostStatus> {
    const { connect } = this.#options;
    const session = this.#sessions.get(host.name) ?? (await this.#connector.connect(host, connect));
    this.#sessions.set(host.name, session);
    const outputs = await runProbe(session, snippetsOf(this.#cluster, host), {
      snippetLimit: PART_LIMIT,
      limit: HOST_LIMIT,
      ...(connect.signal === undefined ? {} : { signal: connect.signal }),
    });
    return readHost(host, outputs);
  }
}
