import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROLE_DEFINITIONS } from '../../roles/index.js';
import { readInventory, type Cluster } from '../../src/inventory/index.js';
import type { Resource } from '../../src/resource/kind.js';
import type { Facts } from '../../src/role/role.js';
import { Secret, reveal } from '../../src/shell/index.js';
import { testSite } from '../support/site.js';

function example(name: string): Cluster {
  const inventory = readInventory(join(import.meta.dirname, '../../inventory', name));
  if (!inventory.ok) throw new Error(inventory.text);
  return inventory.cluster;
}

/** Everything that a host's roles of a stage want, by `kind:id`. */
function resources(
  cluster: Cluster,
  hostName: string,
  stage: string,
  facts: Partial<Facts> = {},
): ReadonlyMap<string, Resource & Record<string, unknown>> {
  const host = cluster.hosts.find(({ name }) => name === hostName);
  const role = ROLE_DEFINITIONS.find(({ name }) => name === stage);
  if (host === undefined || role === undefined) throw new Error(`${hostName} ${stage}`);
  expect(role.on(host, cluster)).toBe(true);
  const site = testSite(cluster, host, facts);
  const all = [...role.install(site), ...role.configure(site)];
  return new Map(all.map((r) => [`${r.kind}:${r.id}`, r as Resource & Record<string, unknown>]));
}

function textOf(resource: (Resource & Record<string, unknown>) | undefined): string {
  const content = resource?.['content'];
  if (typeof content !== 'string' && !(content instanceof Secret)) throw new Error('no content');
  return reveal(content);
}

/** A copy of a cluster with other Odoo settings. */
function withOdoo(cluster: Cluster, change: Partial<Cluster['odoo']>): Cluster {
  return { ...cluster, odoo: { ...cluster.odoo, ...change } };
}

describe('odoo.conf', () => {
  it('of the app service, where everything is on one host', () => {
    const found = resources(example('one-host.yaml'), 'server1', 'app').get(
      'file:/etc/odoo/app.conf',
    );
    expect(found).toMatchObject({ owner: 'root', group: 'odoo', mode: '0640' });
    expect(found?.['content']).toBeInstanceOf(Secret);
    expect(textOf(found))
      .toBe(`# Odoo HTTP workers of the cluster small. Written by odoo-prov, which replaces changes made here:
# options belong under odoo.settings in the inventory.
[options]
data_dir = /var/lib/odoo
db_host = 127.0.0.1
db_port = 6432
db_user = odoo
db_password = secret-odoo-db-password
db_name = odoo
list_db = False
admin_passwd = 
unaccent = True
addons_path = /usr/lib/odoo-prov/addons
server_wide_modules = base,rpc,web,odoo_prov_session_redis
session_store = redis
session_store_url = redis://:secret-redis-password@127.0.0.1:6379/0
proxy_mode = True
x_sendfile = True
http_interface = 127.0.0.1
db_maxconn = 8
db_maxconn_gevent = 32
db_app_name = odoo-app-{pid}
limit_memory_soft = 2147483648
limit_memory_hard = 2684354560
limit_time_cpu = 600
limit_time_real = 720
http_enable = True
http_port = 8069
workers = 3
max_cron_threads = 0
gevent_port = 8073
`);
  });

  it('of the cron service of one Odoo server of two: the front has the database and the sessions', () => {
    const found = resources(example('three-hosts.yaml'), 'odoo2', 'cron');
    expect(textOf(found.get('file:/etc/odoo/cron.conf')))
      .toBe(`# Odoo scheduled jobs of the cluster three. Written by odoo-prov, which replaces changes made here:
# options belong under odoo.settings in the inventory.
[options]
data_dir = /srv/odoo
db_host = 198.51.100.11
db_port = 6432
db_user = odoo
db_password = secret-odoo-db-password
db_name = odoo
list_db = False
admin_passwd = 
unaccent = True
addons_path = /usr/lib/odoo-prov/addons
server_wide_modules = base,rpc,web,odoo_prov_session_redis
session_store = redis
session_store_url = redis://:secret-redis-password@198.51.100.11:6379/0
proxy_mode = True
x_sendfile = True
http_interface = 0.0.0.0
db_maxconn = 8
db_maxconn_gevent = 32
db_app_name = odoo-cron-{pid}
limit_memory_soft = 2147483648
limit_memory_hard = 2684354560
limit_time_cpu = 3600
limit_time_real = 3600
limit_time_real_cron = 3600
http_enable = False
workers = 2
max_cron_threads = 1
`);
    expect(found.get('check:filestore-shared-odoo')).toMatchObject({ expect: 'three' });
  });

  it('of the gevent service of the full cluster, with its settings', () => {
    const found = resources(example('full.yaml'), 'gevent2', 'gevent');
    const rows = textOf(found.get('file:/etc/odoo/gevent.conf')).split('\n');
    expect(rows).toContain('limit_request = 32768');
    expect(rows.slice(-6)).toEqual([
      'limit_request = 32768',
      'http_enable = True',
      'workers = 0',
      'max_cron_threads = 0',
      'gevent_port = 8072',
      '',
    ]);
  });

  it('knows what each version takes', () => {
    const keys = (version: '16.0' | '17.0' | '18.0'): readonly string[] => {
      const cluster = withOdoo(example('one-host.yaml'), { version, source: { type: 'nightly' } });
      const found = resources(cluster, 'server1', 'gevent');
      return textOf(found.get('file:/etc/odoo/gevent.conf')).split('\n');
    };
    expect(keys('16.0')).toContain('db_maxconn = 32');
    expect(keys('16.0').join()).not.toContain('db_maxconn_gevent');
    expect(keys('17.0')).toContain('db_maxconn_gevent = 32');
    for (const version of ['16.0', '17.0', '18.0'] as const) {
      expect(keys(version)).toContain(
        'server_wide_modules = base,web,odoo_prov_session_redis,odoo_prov_bus',
      );
      expect(keys(version).join()).not.toContain('db_app_name');
    }
  });

  it('keeps a folder of own modules that the inventory gives, and needs none', () => {
    const own = withOdoo(example('one-host.yaml'), { settings: { addons_path: '/opt/addons' } });
    const text = textOf(resources(own, 'server1', 'app').get('file:/etc/odoo/app.conf'));
    expect(text).toContain('addons_path = /opt/addons,/usr/lib/odoo-prov/addons\n');
    const files = withOdoo(example('one-host.yaml'), { sessions: 'files' });
    const plain = textOf(resources(files, 'server1', 'app').get('file:/etc/odoo/app.conf'));
    expect(plain).not.toMatch(/addons_path|session_/);
    expect(plain).toContain('server_wide_modules = base,rpc,web\n');
  });
});

describe('the services', () => {
  it('have a unit each, which is restarted for its own files, the package and the session module', () => {
    const found = resources(example('one-host.yaml'), 'server1', 'gevent');
    expect(found.get('unit:odoo-gevent.service')).toMatchObject({
      running: true,
      enabled: true,
      restartFor: [
        'file:/etc/odoo/gevent.conf',
        'file:/etc/systemd/system/odoo-gevent.service',
        'package:odoo',
        'directory:/usr/lib/odoo-prov/addons/odoo_prov_session_redis',
        ...['LICENSE', '__init__.py', '__manifest__.py', 'store.py', 'unavailable.py'].map(
          (name) => `file:/usr/lib/odoo-prov/addons/odoo_prov_session_redis/${name}`,
        ),
        'directory:/usr/lib/odoo-prov/addons/odoo_prov_bus',
        ...['LICENSE', '__init__.py', '__manifest__.py'].map(
          (name) => `file:/usr/lib/odoo-prov/addons/odoo_prov_bus/${name}`,
        ),
      ],
    });
    const text = textOf(found.get('file:/etc/systemd/system/odoo-gevent.service'));
    for (const line of [
      'StartLimitIntervalSec=0',
      'ExecStart=/usr/bin/odoo gevent --config=/etc/odoo/gevent.conf',
      'Restart=always',
      'RestartSec=5',
      'Environment=PGCONNECT_TIMEOUT=3',
      'Environment=PGSERVICEFILE=/etc/odoo/pg_service.conf',
      'Environment=PGSERVICE=odoo',
      'KillMode=mixed',
      'TimeoutStopSec=60',
    ]) {
      expect(text.split('\n')).toContain(line);
    }
    expect(text).not.toContain('ODOO_PGAPPNAME');
    expect(textOf(found.get('file:/etc/odoo/pg_service.conf'))).toMatch(
      /^\[odoo\]\nkeepalives=1\nkeepalives_idle=10\nkeepalives_interval=5\nkeepalives_count=3\ntcp_user_timeout=20000\n$/m,
    );
  });

  it('load the module that brings the bus back only where the bus is', () => {
    const files = withOdoo(example('one-host.yaml'), { sessions: 'files' });
    const modules = (service: string): string | undefined =>
      /^server_wide_modules = (.*)$/m.exec(
        textOf(resources(files, 'server1', service).get(`file:/etc/odoo/${service}.conf`)),
      )?.[1];
    expect(['app', 'cron', 'gevent'].map(modules)).toEqual([
      'base,rpc,web',
      'base,rpc,web',
      'base,rpc,web,odoo_prov_bus',
    ]);
  });

  it('stop no sooner than their requests and jobs may end', () => {
    const cluster = example('one-host.yaml');
    const stop = (service: string): string | undefined =>
      /TimeoutStopSec=(\d+)/.exec(
        textOf(
          resources(cluster, 'server1', service).get(
            `file:/etc/systemd/system/odoo-${service}.service`,
          ),
        ),
      )?.[1];
    expect([stop('app'), stop('cron')]).toEqual(['750', '3630']);
  });
});

describe('installing Odoo', () => {
  const order = (cluster: Cluster): readonly string[] => [
    ...resources(cluster, 'server1', 'odoo').keys(),
  ];

  it('keeps the package from starting, before it is installed', () => {
    const keys = order(example('one-host.yaml'));
    expect(keys.indexOf('unit:odoo.service')).toBeLessThan(keys.indexOf('package:odoo'));
    expect(keys.indexOf('user:odoo')).toBeLessThan(keys.indexOf('package:odoo'));
    const unit = resources(example('one-host.yaml'), 'server1', 'odoo').get('unit:odoo.service');
    expect(unit).toMatchObject({ masked: true, running: false });
  });

  it('takes nothing but Odoo from its own repository, with the key of its fingerprint', () => {
    const found = resources(example('one-host.yaml'), 'server1', 'odoo');
    expect(found.get('aptKey:/usr/share/keyrings/odoo-nightly.asc')).toMatchObject({
      url: 'https://nightly.odoo.com/odoo.key',
      fingerprint: '5D134C924CB06330DCEFE2A1DEF2A2198183CBB5',
    });
    expect(found.get('aptSource:odoo-prov-nightly')).toMatchObject({
      uris: ['https://nightly.odoo.com/19.0/nightly/deb/'],
      suites: ['./'],
      components: [],
      options: { 'Signed-By': '/usr/share/keyrings/odoo-nightly.asc' },
      pin: [
        { pin: 'origin "nightly.odoo.com"', priority: -1 },
        { packages: 'odoo', pin: 'origin "nightly.odoo.com"', priority: 500 },
      ],
    });
  });

  it('takes from Debian unstable only what stable lacks, from the mirror that the host uses', () => {
    const cluster = withOdoo(example('one-host.yaml'), { source: { type: 'debian' } });
    const found = resources(cluster, 'server1', 'odoo');
    expect(found.get('aptSource:odoo-prov-sid')).toMatchObject({
      uris: ['http://mirror.test/debian'],
      suites: ['sid'],
      options: { 'Check-Valid-Until': 'no' },
      pin: { pin: 'release n=sid', priority: 100 },
    });
    expect(found.has('package:odoo-19')).toBe(true);
  });

  it('takes any repository that the inventory gives', () => {
    const cluster = withOdoo(example('one-host.yaml'), {
      source: {
        type: 'apt',
        uri: 'https://apt.acme.example/odoo',
        suite: 'stable',
        components: ['main'],
        key: 'KEY',
        package: 'acme-odoo',
      },
    });
    const found = resources(cluster, 'server1', 'odoo');
    expect(found.get('aptSource:odoo-prov-odoo')).toMatchObject({ key: 'KEY' });
    expect(found.has('package:acme-odoo')).toBe(true);
  });

  it('opens the filestore to nginx where nginx serves it, and to nobody else', () => {
    const one = resources(example('one-host.yaml'), 'server1', 'odoo');
    expect(one.get('directory:/var/lib/odoo')).toMatchObject({ group: 'www-data', mode: '0710' });
    expect(one.get('directory:/var/lib/odoo/filestore')).toMatchObject({
      group: 'www-data',
      mode: '2750',
    });
    const cluster = example('one-host.yaml');
    const [host] = cluster.hosts;
    if (host === undefined) throw new Error('no host');
    const apart: Cluster = {
      ...cluster,
      hosts: [
        { ...host, roles: host.roles.filter((role) => role !== 'edge') },
        { ...host, name: 'front', address: '198.51.100.12', roles: ['edge'] },
      ],
    };
    const alone = resources(apart, 'server1', 'odoo');
    expect(alone.get('directory:/var/lib/odoo')).toMatchObject({ group: 'odoo', mode: '0750' });
    const app = textOf(resources(apart, 'server1', 'app').get('file:/etc/odoo/app.conf'));
    expect(app).toContain('x_sendfile = False\n');
    expect(app).toContain('http_interface = 0.0.0.0\n');
  });

  it('marks a shared filestore from one host only', () => {
    const cluster = example('three-hosts.yaml');
    const marker = 'file:/srv/odoo/filestore/.odoo-prov-three';
    expect(resources(cluster, 'odoo1', 'odoo').has(marker)).toBe(true);
    expect(resources(cluster, 'odoo2', 'odoo').has(marker)).toBe(false);
  });
});

describe('the database', () => {
  it('is initialised on the first app host only, straight against PostgreSQL', () => {
    const cluster = example('full.yaml');
    const role = ROLE_DEFINITIONS.find(({ name }) => name === 'odoo-database');
    expect(cluster.hosts.filter((h) => role?.on(h, cluster)).map((h) => h.name)).toEqual(['app1']);
    const found = resources(cluster, 'app1', 'odoo-database');
    expect(found.get('odooDatabase:odoo')).toMatchObject({
      host: '198.51.100.71',
      port: 5432,
      languages: ['de_DE'],
      parameters: {
        'web.base.url': `https://${cluster.odoo.domain}`,
        'web.base.url.freeze': 'True',
        'report.url': 'http://198.51.100.21:8069',
      },
    });
    const config = textOf(found.get('file:/etc/odoo/database.conf'));
    expect(config).toContain('db_host = 198.51.100.71\ndb_port = 5432\n');
    expect(config).toContain('http_enable = False\nworkers = 0\nmax_cron_threads = 0\n');
    expect(config).not.toContain('server_wide_modules');
    expect(found.get('file:/etc/odoo-prov/odoo-database.pgpass')).toMatchObject({ mode: '0600' });
  });
});
