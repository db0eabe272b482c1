import { directory, file } from '../resource/index.js';
import type { Resource } from '../resource/kind.js';
import type { Site } from '../role/role.js';
import { OUR_ADDONS } from './layout.js';
import { SESSION_MODULE } from './options.js';

const FILES = ['LICENSE', '__init__.py', '__manifest__.py', 'store.py', 'unavailable.py'] as const;

/**
 * The Odoo module that keeps sessions in Redis, for every host that runs a part of Odoo: one without it
 * takes every user for a stranger. It has no assets, so its files' times do not matter to Odoo.
 */
export function sessionModuleFiles(site: Site): readonly Resource[] {
  const folder = `${OUR_ADDONS}/${SESSION_MODULE}`;
  return [
    directory({ path: folder }),
    ...FILES.map((name) =>
      file({
        path: `${folder}/${name}`,
        content: site.asset(`odoo-session-redis/${SESSION_MODULE}/${name}`),
      }),
    ),
  ];
}
