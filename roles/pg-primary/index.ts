import { databaseHosts } from '../../src/inventory/cluster.js';
import { ODOO_USER } from '../../src/odoo/layout.js';
import { REPLICATION_USER, REPORTING_USER, versionOf } from '../../src/postgres/layout.js';
import { packages, server } from '../../src/postgres/server.js';
import {
  postgresCluster,
  postgresDatabase,
  postgresExtension,
  postgresRole,
} from '../../src/resource/index.js';
import type { Resource } from '../../src/resource/kind.js';
import type { RoleDefinition, Site } from '../../src/role/role.js';

/** The database server that takes the writes. */
export const pgPrimary: RoleDefinition = {
  name: 'pg-primary',
  summary:
    'PostgreSQL: sized, logged, its doors open to PgBouncer and its standbys only; role and database for Odoo',
  after: ['base'],
  on: (host) => host.roles.includes('pg-primary'),
  install: packages,
  configure: (site) => [
    ...server(site, postgresCluster({ version: versionOf(site) })),
    ...contents(site),
    ...replication(site),
    ...reporting(site),
  ],
};

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

/** The role of the standbys. It may also read files, as pg_rewind does (its manual, "Notes"). */
function replication(site: Site): readonly Resource[] {
  if (databaseHosts(site.written).length < 2) return [];
  return [
    postgresRole({
      name: REPLICATION_USER,
      password: site.secret('postgres-replication-password'),
      replication: true,
      memberOf: ['pg_monitor'],
      executes: [
        'pg_ls_dir(text, boolean, boolean)',
        'pg_stat_file(text, boolean)',
        'pg_read_binary_file(text)',
        'pg_read_binary_file(text, bigint, bigint, boolean)',
      ],
    }),
  ];
}

/** The role for reports. What it starts is read only and ends in time, so that it holds up neither vacuum nor replay. */
function reporting(site: Site): readonly Resource[] {
  const { reporting: wanted } = site.cluster.postgres;
  if (wanted === undefined) return [];
  return [
    postgresRole({
      name: REPORTING_USER,
      password: site.secret('postgres-reporting-password'),
      memberOf: ['pg_read_all_data'],
      connectionLimit: wanted.connections,
      settings: {
        default_transaction_read_only: 'on',
        idle_in_transaction_session_timeout: '5min',
        statement_timeout: '15min',
      },
    }),
  ];
}
