import { observe } from '../batch/probe.js';
import { assumedFacts } from '../facts/host-facts.js';
import { strandedStandbys, type Stranded } from '../facts/stranded.js';
import { observedCluster, topologyOf, type Topology } from '../facts/topology.js';
import { Failure } from '../failure/failure.js';
import type { Cluster, Host } from '../inventory/cluster.js';
import { collect, resourcesOf, type Declaration } from '../plan/collect.js';
import { diff, type Plan } from '../plan/diff.js';
import { leftOver, withRecord } from '../plan/given.js';
import { sameValue } from '../plan/same-value.js';
import { keyOf } from '../resource/kind.js';
import type { Facts } from '../role/role.js';
import { siteOf } from '../role/site.js';
import type { Session } from '../transport/session.js';
import type { RunContext } from './context.js';
import { outputsOf, probeHost, type Answers } from './probe-host.js';

/** What a run knows of the hosts at one moment. It is filled by looking; it changes nothing. */
export class Look {
  readonly #context: RunContext;
  readonly #salt: string;
  /** Answers of every host that gave one, by name. */
  readonly seen = new Map<string, Answers>();
  /** What the roles want on each host, by name, for as long as all facts stay what they are taken for. */
  readonly #wanted = new Map<string, Declaration>();

  constructor(context: RunContext, salt: string) {
    this.#context = context;
    this.#salt = salt;
  }

  /** Asks a host for everything, whatever is known of it. @throws Failure of the transport */
  async ask(session: Session): Promise<void> {
    await this.#probe(session, undefined);
  }

  /**
   * Asks what the first question left open: it was worded by what was assumed of the hosts, and their
   * facts may have turned out otherwise. Usually nothing is, and nothing is sent.
   */
  async complete(session: Session): Promise<void> {
    await this.#probe(session, this.seen.get(session.host.name));
  }

  async #probe(session: Session, known: Answers | undefined): Promise<void> {
    const declaration = this.#declare(session.host, known ?? this.seen.get(session.host.name));
    const { kinds } = this.#context;
    const answers = await probeHost(session, declaration, kinds, this.#salt, known);
    const before = { facts: this.#factsOf(session.host), topology: this.topology() };
    this.seen.set(session.host.name, answers);
    const now = { facts: answers.facts, topology: this.topology() };
    if (!sameValue(before, now)) this.#wanted.clear();
  }

  /** The plan of a host that was asked. */
  plan(host: Host): {
    readonly plan: Plan;
    readonly leftOver: readonly string[];
    readonly odoo: boolean;
  } {
    const answers = this.seen.get(host.name);
    if (answers === undefined) throw new Error(`${host.name} was not asked`);
    const declaration = this.#declare(host, answers);
    const resources = resourcesOf(declaration);
    const observed = observe(resources, outputsOf(answers), this.#context.kinds);
    const plan = diff(declaration, observed, this.#context.kinds, this.#salt);
    const left = leftOver(answers.given, declaration).map((entry) => entry.role);
    const odoo = resources.some((resource) => {
      const state = observed.get(keyOf(resource));
      return (
        resource.kind === 'odooDatabase' &&
        typeof state === 'object' &&
        'initialised' in state &&
        state.initialised === true
      );
    });
    return { plan, leftOver: [...new Set(left)], odoo };
  }

  /** Who is primary, as far as is known by now. */
  topology(): Topology {
    const { cluster, state } = this.#context;
    return topologyOf(cluster, ({ name }) => this.seen.get(name)?.databases, state.postgres);
  }

  /** Standbys that are stopped, and that only a rejoin takes back. */
  stranded(): ReadonlyMap<string, Stranded> {
    return strandedStandbys(this.#context.cluster, ({ name }) => this.seen.get(name)?.databases);
  }

  /** The cluster with the roles that its hosts really have, as far as is known by now. */
  cluster(): Cluster {
    return observedCluster(this.#context.cluster, this.topology());
  }

  /** How many things are looked at on a host. */
  count(host: Host): number {
    return resourcesOf(this.#declare(host, this.seen.get(host.name))).length;
  }

  #declare(host: Host, answers: Answers | undefined): Declaration {
    const wanted = this.#wanted.get(host.name) ?? this.#collect(host);
    this.#wanted.set(host.name, wanted);
    return withRecord(wanted, answers?.given ?? [], this.#context.options.prune);
  }

  #collect({ name }: Host): Declaration {
    const { cluster: written, roles, secret, templates, given } = this.#context;
    const cluster = this.cluster();
    const host = hostNamed(cluster, name);
    const { systemIdentifier } = this.topology();
    const site = siteOf(host, {
      ...{ cluster, written, secret, templates, given },
      factsOf: this.#factsOf,
      ...(systemIdentifier !== undefined && { systemIdentifier }),
    });
    try {
      return collect(roles, site);
    } catch (error) {
      if (error instanceof Failure) throw error;
      throw new Error(`cannot work out what ${name} should have`, { cause: error });
    }
  }

  readonly #factsOf = (host: Host): Facts =>
    this.seen.get(host.name)?.facts ?? assumedFacts(host, this.#context.state.facts[host.name]);
}

function hostNamed(cluster: Cluster, name: string): Host {
  const host = cluster.hosts.find((other) => other.name === name);
  if (host === undefined) throw new Error(`${name} is no host of ${cluster.name}`);
  return host;
}
