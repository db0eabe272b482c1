import { CRON_WORKERS_COMMAND } from '../../src/odoo/cron-workers.js';
import { odooService } from '../../src/odoo/service.js';
import { check } from '../../src/resource/index.js';
import type { RoleDefinition } from '../../src/role/role.js';

/** Odoo's scheduled jobs, without HTTP: no user waits for a worker that a job keeps busy. */
export const cron: RoleDefinition = {
  name: 'cron',
  summary: "Odoo's scheduled jobs, without HTTP",
  after: ['odoo', 'odoo-database', 'pgbouncer', 'redis'],
  on: (host) => host.roles.includes('cron'),
  install: () => [],
  configure: (site) => [
    ...odooService(site, 'cron'),
    check({
      name: 'odoo-cron',
      command: CRON_WORKERS_COMMAND,
      expect: 'ok',
      within: 90,
      describes: "all of Odoo's cron workers run",
    }),
  ],
};
