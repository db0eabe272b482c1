import { directory, file } from '../resource/index.js';
import type { Resource } from '../resource/kind.js';
import type { Site } from '../role/role.js';
import { OUR_ADDONS } from './layout.js';
import { BUS_MODULE, SESSION_MODULE } from './options.js';

/** The Odoo module with which the evented server gets over a lost PgBouncer: the bus back soon, connecting limited. */
export function busModuleFiles(site: Site): readonly Resource[] {
  const folder = `${OUR_ADDONS}/${BUS_MODULE}`;
  const licence = site.asset(`odoo-session-redis/${SESSION_MODULE}/LICENSE`);
  return [
    directory({ path: folder }),
    file({ path: `${folder}/LICENSE`, content: licence }),
    ...['__init__.py', '__manifest__.py'].map((name) =>
      file({ path: `${folder}/${name}`, content: site.asset(`odoo-bus/${BUS_MODULE}/${name}`) }),
    ),
  ];
}
