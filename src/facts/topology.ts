import {
  databaseHosts,
  databaseRole,
  type Cluster,
  type Host,
  type RoleName,
} from '../inventory/cluster.js';
import { isOutdated } from '../postgres/outdated.js';
import { ownData, type FoundDatabase } from './database-facts.js';

/** Who is what in the PostgreSQL cluster now, by what the database hosts themselves hold. */
export interface Topology {
  /** The host that takes the writes, or is to take them when there is no data yet. */
  readonly primary: string;
  /** Its data was seen. Otherwise it is who may be primary, and no more than that. */
  readonly primarySeen: boolean;
  /** PostgreSQL's own name for the cluster; undefined while there is no data. */
  readonly systemIdentifier?: string;
  /** Hosts that hold a primary's data of an older timeline: writes went on elsewhere without them. */
  readonly formerPrimaries: readonly string[];
  /** Other hosts that hold a primary's data of the same timeline: nobody can tell who is right. */
  readonly rivals: readonly string[];
  /**
   * There is data, and nobody who may be primary: hosts hold standbys' data, or a primary's that a standby is beyond. A move
   * of the primary was cut off, its host is not in the inventory, or it is one of several that are silent.
   */
  readonly withoutPrimary: boolean;
}

/**
 * Works out the topology. Data that is not a standby's is a primary's; of several, the newest timeline is
 * the one to which writes went last. Where a standby is on a newer one still, the primary is a host that did not answer.
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
  const [first] = writers;
  const held = holding.map(({ data }) => data);
  const current = first === undefined || isOutdated(first.data, held) ? undefined : first;
  const others = writers.filter((other) => other !== current);
  const wished = hosts.find((host) => host.roles.includes('pg-primary'))?.name ?? '';
  const known = hosts.some((host) => host.name === remembered?.primary);
  const same = others.filter(({ data }) => data.timeline === current?.data.timeline);
  const silent = hosts.filter((host) => seen(host) === undefined).map(({ name }) => name);
  // Whoever answered without a primary's data, or with old data, is not the primary.
  const mayBe = [remembered?.primary, wished, silent.length === 1 ? silent[0] : undefined];
  const unseen = holding.length > 0 ? mayBe.find((name) => silent.includes(name ?? '')) : undefined;
  const systemIdentifier =
    (first ?? holding[0])?.data.systemIdentifier ?? remembered?.systemIdentifier;
  return {
    primary: current?.host ?? unseen ?? (known ? remembered?.primary : undefined) ?? wished,
    primarySeen: current !== undefined,
    ...(systemIdentifier === undefined ? {} : { systemIdentifier }),
    formerPrimaries: others.filter((other) => !same.includes(other)).map(({ host }) => host),
    rivals: same.map(({ host }) => host),
    withoutPrimary: holding.length > 0 && current === undefined && unseen === undefined,
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
