import { GEVENT_PORT } from '../../src/odoo/layout.js';
import { odooService } from '../../src/odoo/service.js';
import { check } from '../../src/resource/index.js';
import type { RoleDefinition } from '../../src/role/role.js';

/** Odoo's evented server: websockets only. */
export const gevent: RoleDefinition = {
  name: 'gevent',
  summary: "Odoo's evented server: chat and notifications over websockets",
  after: ['odoo', 'odoo-database', 'pgbouncer', 'redis'],
  serial: 1,
  on: (host) => host.roles.includes('gevent'),
  install: () => [],
  configure: (site) => [
    ...odooService(site, 'gevent'),
    check({
      name: 'odoo-gevent',
      command: `curl -s -o /dev/null -m 4 -w '%{http_code}\\n' http://127.0.0.1:${String(GEVENT_PORT)}/websocket/health`,
      expect: '200',
      within: 90,
      describes: "Odoo's evented server answers",
    }),
  ],
};
