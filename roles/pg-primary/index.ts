import { hostsWith } from '../../src/inventory/cluster.js';
import { initialisingHost, ODOO_USER } from '../../src/odoo/layout.js';
import {
  aptPackage,
  check,
  directory,
  file,
  keyOf,
  postgresCluster,
  postgresDatabase,
  postgresExtension,
  postgresRole,
  postgresSettings,
  unit,
} from '../../src/resource/index.js';
import type { Resource } from '../../src/resource/kind.js';
import type { RoleDefinition, Site } from '../../src/role/role.js';
import { LOG_FOLDER, settingsOf } from './settings.js';

/** PostgreSQL as Debian has it: 12 brings 15, 13 brings 17. */
function versionOf({ facts }: Site): number {
  return facts.debian === 12 ? 15 : 17;
}

/** The database server that takes the writes. */
export const pgPrimary: RoleDefinition = {
  name: 'pg-primary',
  summary:
    'PostgreSQL: sized, logged, its doors open to PgBouncer only; role and database for Odoo',
  after: ['base'],
  on: (host) => host.roles.includes('pg-primary'),

  install: (site) => [
    // Before the package, which would make a cluster of its own, without checksums.
    directory({ path: '/etc/postgresql-common/createcluster.d' }),
    file({
      path: '/etc/postgresql-common/createcluster.d/50-odoo-prov.conf',
      content:
        '# Written by odoo-prov, which makes the cluster itself.\ncreate_main_cluster = false\n',
    }),
    aptPackage({ name: 'ssl-cert' }),
    aptPackage({ name: `postgresql-${String(versionOf(site))}` }),
  ],

  configure(site) {
    const version = versionOf(site);
    const doors = file({
      path: `/etc/postgresql/${String(version)}/main/pg_hba.conf`,
      content: site.template('pg-primary/pg_hba.conf.hbs', {
        clients: clientsOf(site),
        database: site.cluster.odoo.database,
        role: ODOO_USER,
      }),
      owner: 'postgres',
      group: 'postgres',
      mode: '0640',
    });
    return [
      directory({ path: LOG_FOLDER, owner: 'postgres', group: 'adm', mode: '0750' }),
      postgresCluster({ version }),
      postgresSettings({ version, settings: settingsOf(site) }),
      doors,
      ...service(site, version, doors),
      ...contents(site),
    ];
  },
};

function service({ host }: Site, version: number, doors: Resource): readonly Resource[] {
  const name = `postgresql@${String(version)}-main.service`;
  const bin = `/usr/lib/postgresql/${String(version)}/bin`;
  const late = file({
    path: `/etc/systemd/system/${name}.d/odoo-prov.conf`,
    content:
      "# Written by odoo-prov: without the network, the host's own address cannot be listened on.\n" +
      '[Unit]\nWants=network-online.target\nAfter=network-online.target\n',
  });
  return [
    directory({ path: `/etc/systemd/system/${name}.d` }),
    late,
    // postgresql.service starts at boot what start.conf says; the instance itself has no [Install] link.
    unit({ name, running: true, enabled: 'any', reloadFor: [keyOf(doors)] }),
    unit({ name: 'postgresql.service', running: true, enabled: true }),
    check({
      name: 'postgres-answers',
      command: `${bin}/pg_isready -q -h ${host.address} -p 5432 && echo yes`,
      expect: 'yes',
      within: 60,
      describes: `PostgreSQL answers on ${host.address}:5432`,
    }),
    check({
      name: 'postgres-doors',
      command:
        'cd / && echo "select count(*) from pg_hba_file_rules where error is not null" | ' +
        `setpriv --reuid=postgres --regid=postgres --init-groups ${bin}/psql -XAtq -h /var/run/postgresql -d postgres`,
      expect: '0',
      within: 10,
      describes: 'every line of pg_hba.conf is understood',
    }),
  ];
}

/** What Odoo finds in the server: it may not make databases, and extensions need the superuser. */
function contents(site: Site): readonly Resource[] {
  const database = site.cluster.odoo.database;
  return [
    postgresRole({ name: ODOO_USER, password: site.secret('odoo-db-password') }),
    postgresDatabase({ name: database, owner: ODOO_USER }),
    postgresExtension({ database, name: 'unaccent', immutable: ['unaccent(text)'] }),
    postgresExtension({ database, name: 'pg_trgm' }),
    postgresExtension({ database: 'postgres', name: 'pg_stat_statements' }),
  ];
}

/**
 * Who may connect over the network: PgBouncer, and the host that initialises and updates Odoo's database,
 * which must not pass a pooler. One on this host comes from its loopback or its own address.
 */
function clientsOf({ cluster, host }: Site): readonly { name: string; address: string }[] {
  const clients = new Set([...hostsWith(cluster, 'pgbouncer'), initialisingHost(cluster)]);
  return [...clients].flatMap(({ name, address }) => [
    ...(name === host.name ? [{ name, address: '127.0.0.1/32' }] : []),
    { name, address: range(address) },
  ]);
}

/** An address as pg_hba.conf wants it; a name stays one. */
function range(address: string): string {
  if (address.includes(':')) return `${address}/128`;
  return /^[\d.]+$/.test(address) ? `${address}/32` : address;
}
