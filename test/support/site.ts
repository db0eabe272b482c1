import { resolve } from 'node:path';
import type { Cluster, Host, RoleName } from '../../src/inventory/cluster.js';
import type { Facts, Site } from '../../src/role/role.js';
import { siteOf } from '../../src/role/site.js';
import { Secret } from '../../src/shell/index.js';
import { readTemplates } from '../../src/template/package-files.js';

export const testFacts: Facts = {
  memory: 4 * 1024 ** 3,
  cores: 2,
  debian: 13,
  codename: 'trixie',
  container: true,
  mirror: 'http://mirror.test/debian',
};

/** A host of a test cluster, on the documentation's addresses. */
export function testHost(name: string, last: number, roles: readonly RoleName[]): Host {
  return {
    name,
    address: `198.51.100.${String(last)}`,
    roles,
    weight: 1,
    ssh: { become: false, hostKey: 'accept-new' },
  };
}

/** A cluster with every default, and these hosts. */
export function testCluster(hosts: readonly Host[], change: Partial<Cluster> = {}): Cluster {
  return {
    name: 'acme',
    file: resolve('acme.yaml'),
    odoo: {
      version: '19.0',
      source: { type: 'debian' },
      database: 'acme',
      domain: 'erp.acme.example',
      users: 20,
      sessions: 'redis',
      languages: ['en_US'],
      settings: {},
    },
    postgres: {
      replication: { synchronous: 'off', onStandbyLoss: 'block', maxLag: 16 * 1024 ** 2 },
      loneStart: 'wait',
      settings: {},
    },
    pgbouncer: { poolMode: 'session', maxClientConn: 10000, settings: {} },
    redis: { settings: {} },
    edge: { balancer: 'nginx', balance: 'round-robin', tls: 'self-signed', maxBody: '128m' },
    filestore: { type: 'local', path: '/var/lib/odoo' },
    failoverTest: { rto: 60, rpo: 5, gap: 5, failedRequests: 3 },
    hosts,
    ...change,
  };
}

/** The site of one host of a cluster; each secret is `secret-<its name>`. */
export function testSite(cluster: Cluster, host: Host, facts: Partial<Facts> = {}): Site {
  return siteOf(host, {
    cluster,
    written: cluster,
    factsOf: (of) => ({
      ...testFacts,
      ...facts,
      ...(of.memory === undefined ? {} : { memory: of.memory }),
      ...(of.cores === undefined ? {} : { cores: of.cores }),
    }),
    secret: (name) => new Secret(`secret-${name}`),
    templates: readTemplates(),
    given: new Map(),
  });
}
