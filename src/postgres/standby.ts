import { Failure } from '../failure/failure.js';
import { hostsWith } from '../inventory/cluster.js';
import { postgresStandby } from '../resource/index.js';
import type { Resource } from '../resource/kind.js';
import type { RoleDefinition, Site } from '../role/role.js';
import { REPLICATION_PASS_FILE, REPLICATION_USER, slotOf, versionOf } from './layout.js';
import { packages, server } from './server.js';

/** A server that follows the primary. Standbys and replicas differ in what others use them for only. */
export function standbyRole(name: 'pg-standby' | 'pg-replica', summary: string): RoleDefinition {
  return {
    name,
    summary,
    after: ['base', 'pg-primary'],
    on: (host) => host.roles.includes(name),
    install: packages,
    configure: (site) => server(site, copy(site)),
  };
}

function copy(site: Site): Resource {
  const [primary] = hostsWith(site.cluster, 'pg-primary');
  if (primary === undefined) throw new Error('the inventory was not checked: there is no primary');
  const version = versionOf(site);
  const facts = site.factsOf(primary);
  const theirs = versionOf({ facts });
  // Before the primary has answered, its release is a guess.
  if (facts.assumed !== true && version !== theirs) {
    throw otherVersion(site, version, primary.name, theirs);
  }
  return postgresStandby({
    version,
    primary: primary.address,
    user: REPLICATION_USER,
    passFile: REPLICATION_PASS_FILE,
    slot: slotOf(site.host),
    ...(site.systemIdentifier !== undefined && { systemIdentifier: site.systemIdentifier }),
  });
}

function otherVersion(site: Site, version: number, primary: string, theirs: number): Failure {
  return new Failure({
    reason: 'inventory',
    host: site.host.name,
    message: `cannot follow ${primary}: a copy of PostgreSQL's data needs the same major version`,
    expected: `PostgreSQL ${String(theirs)}, as on ${primary}`,
    found: `Debian ${String(site.facts.debian)}, which has PostgreSQL ${String(version)}`,
    remedy: 'install the same Debian on all database hosts',
  });
}
