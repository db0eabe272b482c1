import type { Facts, RoleDefinition } from '../role/role.js';
import type { Cluster, Host } from '../inventory/cluster.js';
import type { Kinds } from '../plan/diff.js';
import type { Runner } from '../batch/runner.js';
import type { Secret } from '../shell/index.js';
import type { ConnectOptions, Connector } from '../transport/session.js';
import type { ClusterState } from '../state/cluster-state.js';
import type { Emit } from './event.js';

/** What a run is asked to do. */
export interface ConvergeOptions {
  /** Look and compare only. */
  readonly check: boolean;
  /** Fetch files that differ and show how; never those with secrets. */
  readonly diff: boolean;
  /** Stop and disable what removed roles left. */
  readonly prune: boolean;
  /** Restart the database's primary where a setting needs it: writes wait for it. */
  readonly restartPrimary: boolean;
  /** Hosts worked on at the same time. */
  readonly concurrency: number;
  /** The hosts to change, chosen from the cluster's. */
  readonly hosts: readonly Host[];
  readonly connect: ConnectOptions;
  /** Set: no new step is begun. */
  readonly stop: AbortSignal;
}

/** Everything that a run works with, handed in by the playbook. */
export interface RunContext {
  readonly cluster: Cluster;
  readonly roles: readonly RoleDefinition[];
  readonly kinds: Kinds;
  readonly connector: Connector;
  readonly templates: ReadonlyMap<string, string>;
  readonly given: ReadonlyMap<string, string>;
  readonly secret: (name: string) => Secret;
  /** No secret of this cluster was there when the run began. */
  readonly secretsAreNew: boolean;
  /** Makes generated secrets durable; called before anything is sent to a host. */
  readonly saveSecrets: () => Promise<void>;
  readonly state: ClusterState;
  readonly saveState: (state: ClusterState) => void;
  readonly runner: Runner;
  readonly emit: Emit;
  readonly options: ConvergeOptions;
}

/** Facts by host name. */
export type FactsByHost = ReadonlyMap<string, Facts>;
