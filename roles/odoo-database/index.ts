import {
  ODOO_HOME,
  ODOO_USER,
  HTTP_PORT,
  configPath,
  initialisingHost,
  onlyOneHost,
  postgresOf,
} from '../../src/odoo/layout.js';
import { databaseOptions } from '../../src/odoo/options.js';
import { configFile, configText } from '../../src/odoo/service.js';
import { directory, file, odooDatabase as database } from '../../src/resource/index.js';
import type { RoleDefinition, Site } from '../../src/role/role.js';

const FOLDER = '/etc/odoo-prov';
const PASS_FILE = `${FOLDER}/odoo-database.pgpass`;

/** Initialises the Odoo database, from one host and straight against PostgreSQL. */
export const odooDatabase: RoleDefinition = {
  name: 'odoo-database',
  summary: 'the Odoo database: initialised once, from the first app host',
  // With synchronous replication every commit waits for a standby.
  after: ['odoo', 'pg-primary', 'pg-standby'],
  on: (host, cluster) => host === initialisingHost(cluster),

  install: () => [],

  configure(site) {
    const { cluster, host } = site;
    const postgres = postgresOf(cluster, host);
    const config = configPath('database');
    return [
      configFile(config, configText(site, 'Initialising the database', databaseOptions(site))),
      directory({ path: FOLDER, mode: '0700' }),
      file({
        path: PASS_FILE,
        content: site.template('odoo/pgpass.hbs', {
          ...postgres,
          user: ODOO_USER,
          password: site.secret('odoo-db-password'),
        }),
        mode: '0600',
      }),
      database({
        name: cluster.odoo.database,
        config,
        passFile: PASS_FILE,
        ...postgres,
        user: ODOO_USER,
        systemUser: ODOO_USER,
        home: ODOO_HOME,
        languages: cluster.odoo.languages,
        parameters: {
          'web.base.url': `https://${cluster.odoo.domain}`,
          // Or the first login by another name would change it.
          'web.base.url.freeze': 'True',
          'report.url': reportUrl(site),
        },
        adminPassword: site.secret('odoo-admin-password'),
      }),
    ];
  },
};

/** Where wkhtmltopdf fetches styles from: one global value, so every host must reach it. */
function reportUrl({ cluster }: Site): string {
  const host = onlyOneHost(cluster) ? '127.0.0.1' : initialisingHost(cluster).address;
  return `http://${host}:${String(HTTP_PORT)}`;
}
