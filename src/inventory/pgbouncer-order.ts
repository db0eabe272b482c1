import { hostsWith, type Cluster, type Host } from './cluster.js';
import { ODOO_ROLES } from './roles.js';

interface Places {
  readonly pgbouncers: readonly Host[];
  /** The hosts that run Odoo, numbered in the inventory's order, by name. */
  readonly odoo: ReadonlyMap<string, number>;
}

/** Every host is looked at for itself: with many hosts they are not counted for each anew. */
const known = new WeakMap<Cluster, Places>();

function placesOf(cluster: Cluster): Places {
  let places = known.get(cluster);
  if (places === undefined) {
    const odoo = hostsWith(cluster, ...ODOO_ROLES);
    places = {
      pgbouncers: hostsWith(cluster, 'pgbouncer'),
      odoo: new Map(odoo.map(({ name }, place) => [name, place])),
    };
    known.set(cluster, places);
  }
  return places;
}

/**
 * The PgBouncers that a host's Odoo services use, in the order in which libpq tries them: the host's own
 * first, if it has one; the others rotated by the host's place among Odoo's hosts, so that these spread
 * over them.
 *
 * @param from a host that runs Odoo
 */
export function* pgbouncersFor(cluster: Cluster, from: Host): Generator<Host, void> {
  const { pgbouncers, odoo } = placesOf(cluster);
  if (from.roles.includes('pgbouncer')) yield from;
  const place = odoo.get(from.name) ?? 0;
  for (let step = 0; step < pgbouncers.length; step += 1) {
    const next = pgbouncers[(place + step) % pgbouncers.length];
    if (next !== undefined && next.name !== from.name) yield next;
  }
}
