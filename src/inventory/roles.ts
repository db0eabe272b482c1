const MIB = 1024 ** 2;

/** What inventory, sizing and advice have to know of a role that this version can set up. */
interface Supported {
  readonly supported: true;
  /** Whether every cluster has it. */
  readonly required: boolean;
  /** Runs Odoo's own code, and so needs its filestore. */
  readonly runsOdoo?: true;
  /** Why one host only can have it; not given: any number can. */
  readonly single?: string;
  /** What stops while its only host is down; not given: nothing, or it depends on more than the role. */
  readonly lost?: string;
  /** Bytes that it needs whatever the host's size; `sized` if it gets its part of the host's memory. */
  readonly memory: number | 'sized';
  /** How the names of its services and packages begin: no update of the system may restart them. */
  readonly services: readonly string[];
}

/** The one place where roles are listed; nothing else may name them all. */
const TABLE = {
  edge: {
    supported: true,
    required: true,
    lost: 'nobody reaches Odoo',
    memory: 128 * MIB,
    services: ['nginx', 'libnginx-mod', 'haproxy', 'keepalived'],
  },
  app: {
    supported: true,
    required: true,
    runsOdoo: true,
    lost: 'no page is served',
    memory: 'sized',
    services: ['odoo'],
  },
  cron: {
    supported: true,
    required: true,
    runsOdoo: true,
    lost: 'no scheduled job runs',
    memory: 'sized',
    services: ['odoo'],
  },
  gevent: {
    supported: true,
    required: true,
    runsOdoo: true,
    lost: 'no live chat or notification arrives',
    memory: 256 * MIB,
    services: ['odoo'],
  },
  'nfs-filestore': { supported: false },
  'pg-primary': {
    supported: true,
    required: true,
    single: 'one host only: writes have one place',
    lost: 'Odoo has no database',
    memory: 'sized',
    services: ['postgresql', 'pgbackrest'],
  },
  'pg-standby': {
    supported: true,
    required: false,
    memory: 'sized',
    services: ['postgresql', 'pgbackrest'],
  },
  'pg-replica': {
    supported: true,
    required: false,
    memory: 'sized',
    services: ['postgresql', 'pgbackrest'],
  },
  pgbouncer: {
    supported: true,
    required: true,
    lost: 'Odoo has no database',
    memory: 64 * MIB,
    services: ['pgbouncer'],
  },
  redis: {
    supported: true,
    // Unless sessions are in it.
    required: false,
    single: 'one host only: this version has no Sentinel',
    lost: 'nobody is logged in',
    memory: 256 * MIB,
    services: ['redis'],
  },
} as const satisfies Readonly<Record<string, Supported | { readonly supported: false }>>;

export type RoleName = keyof typeof TABLE;

/** Every role an inventory may give to a host. Those not in {@link SUPPORTED_ROLES} are refused by name. */
export const ROLES = Object.keys(TABLE) as readonly RoleName[];

/** What is known of a role; undefined for one that this version cannot set up. */
export function roleFacts(role: RoleName): Supported | undefined {
  const facts = TABLE[role];
  return facts.supported ? facts : undefined;
}

/** The roles that this version can set up. */
export const SUPPORTED_ROLES = ROLES.filter((role) => roleFacts(role) !== undefined);

/** The roles that run Odoo's own code. */
export const ODOO_ROLES = ROLES.filter((role) => roleFacts(role)?.runsOdoo === true);

/** How the names of all roles' services and packages begin. */
export const SERVICES = [...new Set(ROLES.flatMap((role) => roleFacts(role)?.services ?? []))];
