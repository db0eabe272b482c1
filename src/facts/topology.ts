import {
  databaseHosts,
  databaseRole,
  type Cluster,
  type Host,
  type RoleName,
} from '../inventory/cluster.js';
import { ownData, type FoundDatabase } from './database-facts.js';

/** Who is what in the PostgreSQL cluster now, by what the database hosts themselves hold. */
export interface Topology {
  /** The host that takes the writes, or is to take them when there is no data yet. */
  readonly primary: string;
  /** PostgreSQL's own name for the cluster; undefined while there is no data. */
  readonly systemIdentifier?: string;
  /** Hosts that hold a primary's data of an older timeline: writes went on elsewhere without them. */
  readonly formerPrimaries: readonly string[];
  /** Other hosts that hold a primary's data of the same timeline: nobody can tell who is right. */
  readonly rivals: readonly string[];
  /** All hosts answered, and what they hold is standbys' data only: a move of the primary was cut off. */
  readonly withoutPrimary: boolean;
}

/**
 * Works out the topology. Data that is not a standby's is a primary's; of several, the newest timeline is
 * the one to which writes went last.
 * @param seen what a host holds; undefined for one that did not answer
 * @param remembered who was primary at an earlier run: believed while nobody shows otherwise
 */
export function topologyOf(
  cluster: Cluster,
  seen: (host: Host) => readonly FoundDatabase[] | undefined,
  remembered:
    | { readonly primary?: string | undefined; readonly systemIdentifier?: string | undefined }
    | undefined,
): Topology {
  const hosts = databaseHosts(cluster);
  const holding = hosts.flatMap((host) => {
    const data = ownData(seen(host) ?? []);
    return data === undefined ? [] : [{ host: host.name, data }];
  });
  const writers = holding
    .filter(({ data }) => !data.standby)
    .sort((a, b) => b.data.timeline - a.data.timeline);
  const [first, ...others] = writers;
  const wished = hosts.find((host) => host.roles.includes('pg-primary'))?.name ?? '';
  const known = hosts.some((host) => host.name === remembered?.primary);
  const same = others.filter(({ data }) => data.timeline === first?.data.timeline);
  const systemIdentifier =
    (first ?? holding[0])?.data.systemIdentifier ?? remembered?.systemIdentifier;
  return {
    primary: first?.host ?? (known ? remembered?.primary : undefined) ?? wished,
    ...(systemIdentifier === undefined ? {} : { systemIdentifier }),
    formerPrimaries: others.filter((other) => !same.includes(other)).map(({ host }) => host),
    rivals: same.map(({ host }) => host),
    withoutPrimary:
      holding.length > 0 && writers.length === 0 && hosts.every((host) => seen(host) !== undefined),
  };
}

/**
 * The cluster with the database roles that the hosts really have: the primary has `pg-primary`, and whom
 * the inventory calls so has its role in exchange. Everything else is as it was written.
 */
export function observedCluster(cluster: Cluster, { primary }: Pick<Topology, 'primary'>): Cluster {
  const role = cluster.hosts.flatMap((h) => (h.name === primary ? [databaseRole(h)] : []))[0];
  if (role === undefined || role === 'pg-primary') return cluster;
  const swapped: Readonly<Partial<Record<RoleName, RoleName>>> = {
    [role]: 'pg-primary',
    'pg-primary': role,
  };
  const hosts = cluster.hosts.map((host) => {
    if (host.name !== primary && !host.roles.includes('pg-primary')) return host;
    return { ...host, roles: host.roles.map((own) => swapped[own] ?? own) };
  });
  return { ...cluster, hosts };
}
