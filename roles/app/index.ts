import { HTTP_PORT } from '../../src/odoo/layout.js';
import { odooService } from '../../src/odoo/service.js';
import { check } from '../../src/resource/index.js';
import type { RoleDefinition } from '../../src/role/role.js';

/** Odoo's HTTP workers: users' requests, no scheduled jobs. */
export const app: RoleDefinition = {
  name: 'app',
  summary: "Odoo's HTTP workers, no cron",
  after: ['odoo', 'odoo-database', 'pgbouncer', 'redis'],
  serial: 1,
  on: (host) => host.roles.includes('app'),
  install: () => [],
  configure: (site) => [
    ...odooService(site, 'app'),
    check({
      name: 'odoo-app',
      command: `curl -s -o /dev/null -m 4 -w '%{http_code}\\n' http://127.0.0.1:${String(HTTP_PORT)}/web/health`,
      expect: '200',
      within: 90,
      describes: "Odoo's HTTP workers answer",
    }),
  ],
};
