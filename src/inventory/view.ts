import { ROLES, type RoleName } from './cluster.js';
import type { Path } from './source.js';
import { nearest } from './words.js';

/** A host of an inventory that may be full of mistakes: what of it can be relied on. */
export interface HostView {
  readonly name: string;
  readonly path: Path;
  readonly address: string | undefined;
  /** `typo`: what is written is not its name, only near it. */
  readonly roles: readonly {
    readonly role: RoleName;
    readonly typo: boolean;
    readonly path: Path;
  }[];
  readonly weighted: boolean;
}

/** What the checks across hosts look at. It is taken from the raw data, so that every mistake shows at once. */
export interface View {
  readonly hosts: readonly HostView[];
  /** Some roles cannot be told: then none is called missing. */
  readonly rolesUnclear: boolean;
  readonly sessions: string | undefined;
  readonly filestore: string | undefined;
  at(...path: Path): unknown;
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** A role by its name or, if that is a typo, by the name that was meant. */
function roleOf(value: unknown): RoleName | undefined {
  if (typeof value !== 'string') return undefined;
  const name = (ROLES as readonly string[]).includes(value) ? value : nearest(value, ROLES);
  return ROLES.find((role) => role === name);
}

/** Reads leniently: a typo in a role counts as the role that was meant, anything else wrong is left out. */
export function viewOf(data: unknown): View {
  const at = (...path: Path): unknown =>
    path.reduce<unknown>((value, key) => (isRecord(value) ? value[key] : undefined), data);
  const hosts = at('hosts');
  let rolesUnclear = !isRecord(hosts);
  const views = Object.entries(isRecord(hosts) ? hosts : {}).map(([name, host]): HostView => {
    const path = ['hosts', name];
    const given = isRecord(host) ? host['roles'] : undefined;
    const found = Array.isArray(given)
      ? given.map((value: unknown, index) => {
          const role = roleOf(value);
          return { role, typo: role !== value, path: [...path, 'roles', index] };
        })
      : [];
    const roles = found.flatMap(({ role, ...rest }) =>
      role === undefined ? [] : [{ role, ...rest }],
    );
    // An empty list is a mistake of its own; that host may well be the one that was to have a missing role.
    const idle = roles.length === 0 && name !== at('postgres', 'backup', 'host');
    if (idle || roles.length < found.length) rolesUnclear = true;
    const record = isRecord(host) ? host : {};
    return {
      name,
      path,
      address: textOf(record['address']),
      roles,
      weighted: record['weight'] !== undefined,
    };
  });
  return {
    hosts: views,
    rolesUnclear,
    sessions: textOf(at('odoo', 'sessions')),
    filestore: textOf(at('filestore', 'type')),
    at,
  };
}
