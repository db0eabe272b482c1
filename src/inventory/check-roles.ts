import { SUPPORTED_ROLES } from './cluster.js';
import { meantKey } from './explain.js';
import { isRecord, type View } from './view.js';
import type { Mistake } from './source.js';

/** A host without a role is a mistake, unless it is the one that keeps the backups. */
export function checkRolesGiven(view: View): Mistake[] {
  const keeper = view.at('postgres', 'backup', 'host');
  return view.hosts.flatMap(({ name, path, roles }): Mistake[] => {
    if (roles.length > 0 || name === keeper) return [];
    const host = view.at(...path);
    if (!isRecord(host)) return [];
    const given = host['roles'];
    if (Array.isArray(given) && given.length === 0) {
      const expected = `some of: ${SUPPORTED_ROLES.join(', ')}`;
      const at = [...path, 'roles'];
      return [{ path: at, at: 'value', message: 'this host has no role', expected }];
    }
    // A key that is mistyped is not missing as well.
    const mistyped = Object.keys(host).some((key) => meantKey(path, key) === 'roles');
    if (Object.hasOwn(host, 'roles') || mistyped) return [];
    const expected = 'a list, e.g. [app]';
    return [{ path: [...path, 'roles'], at: 'key', message: 'missing key "roles"', expected }];
  });
}
