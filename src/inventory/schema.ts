import { z } from 'zod';
import { ROLES, SUPPORTED_ROLES, type RoleName } from './cluster.js';
import { show, words } from './words.js';
import {
  address,
  choice,
  domain,
  flag,
  section,
  settings,
  size,
  text,
  unsupported,
  whole,
} from './values.js';

/*
 * The inventory as it is written (snake_case). It only checks, it changes nothing: `build.ts` fills in the
 * defaults. Descriptions are what editors show and what docs/inventory.md is held against.
 */

const supported = SUPPORTED_ROLES as readonly [RoleName, ...RoleName[]];
const laterRoles = Object.fromEntries(
  ROLES.filter((role) => !SUPPORTED_ROLES.includes(role)).map((role) => [
    role,
    `one of: ${SUPPORTED_ROLES.join(', ')}`,
  ]),
);

const path = text('a path', 'the path of a file', /^[^\0\r\n]+$/);

const ssh = section({
  user: text('a user name', 'a login name, e.g. deploy', /^[a-z_][a-z0-9_-]{0,31}$/i)
    .describe('Whom to log in as. Default: ~/.ssh/config, then your own name.')
    .optional(),
  port: whole('a port', 1, 65535).describe('Default: ~/.ssh/config, then 22.').optional(),
  key: path
    .describe(
      'Private key file, relative to this file, ~ allowed. Default: ~/.ssh/config, the agent.',
    )
    .optional(),
  jump: text(
    'a bastion',
    '[user@]host[:port]',
    /^(?:[\w.-]+@)?[A-Za-z0-9][A-Za-z0-9.-]*(?::\d{1,5})?$/,
  )
    .describe('A bastion to go through: [user@]host[:port].')
    .optional(),
  become: flag()
    .describe('Become root by sudo. Default: true when a user other than root is given.')
    .optional(),
  known_hosts: path.describe('Default: ~/.ssh/known_hosts.').optional(),
  host_key: choice('way to check host keys', ['strict', 'accept-new'])
    .describe('strict (default): the key must be known. accept-new: a new host is recorded.')
    .optional(),
});

const host = section({
  address: address().describe('IPv4 address; the hosts reach one another by it.'),
  roles: z
    .array(choice('role', supported, laterRoles), {
      error: ({ input }) => words(`${show(input)} is not a list of roles`, 'a list, e.g. [app]'),
    })
    .min(1, { error: () => words('this host has no role', `some of: ${supported.join(', ')}`) })
    .describe('What the host does. Several roles on one host are normal.'),
  weight: whole('a weight', 1, 100)
    .describe('Share of requests that an app host gets. Default: 1.')
    .optional(),
  memory: size().describe('Instead of what is detected, e.g. 16GB.').optional(),
  cores: whole('a number of cores', 1, 1024).describe('Instead of what is detected.').optional(),
  disk: choice('kind of disk', ['ssd', 'hdd']).describe('Default: ssd.').optional(),
  ssh: ssh.describe('Differs from the ssh section above in these keys.').optional(),
});

const source = z.union(
  [
    z.literal('nightly'),
    section({
      debian: section({
        accept_unstable: z.literal(true, {
          error: () =>
            words(
              "Debian has Odoo only in unstable: it gets no security team's updates",
              'accept_unstable: true, to take it knowingly',
            ),
        }),
      })
        .describe("Debian unstable's package, taken knowingly (what the lab uses).")
        .optional(),
      apt: section({
        uri: text(
          'the URI of an apt source',
          'http://…, https://… or file:/…',
          /^(https?:\/\/|file:\/)\S+$/,
        ),
        suite: text('a suite', 'e.g. stable, or ./ for a flat repository', /^[\w.~+/-]+$/)
          .describe('Default: ./ (a flat repository).')
          .optional(),
        components: z
          .array(text('a component', 'e.g. main', /^[\w.~+/-]+$/), {
            error: ({ input }) =>
              words(`${show(input)} is not a list of components`, 'e.g. [main]'),
          })
          .describe('Default: none, as a flat repository has it.')
          .optional(),
        key: path.describe('ASCII-armoured public key file, relative to this file.'),
        package: text('the name of a package', 'e.g. odoo', /^[a-z0-9][a-z0-9+.-]+$/)
          .describe('Default: odoo.')
          .optional(),
      })
        .describe('Your own repository.')
        .optional(),
    }).meta({ minProperties: 1, maxProperties: 1 }),
  ],
  { error: ({ input }) => sourceWords(input) },
);

function sourceWords(input: unknown): string {
  const expected = 'nightly, { debian: { accept_unstable: true } } or { apt: { uri, key, … } }';
  return input === 'debian'
    ? words("Debian has Odoo only in unstable: it gets no security team's updates", expected)
    : words(`${show(input)} is not a source of Odoo`, expected);
}

const odoo = section({
  version: choice('Odoo version', ['16.0', '17.0', '18.0', '19.0'])
    .describe('In quotes. Default: "19.0".')
    .optional(),
  source: source
    .describe("Where Odoo's package comes from. Default: nightly (nightly.odoo.com).")
    .optional(),
  database: text(
    'a database name',
    'lower-case letters, digits, - and _',
    /^[a-z_][a-z0-9_-]{0,62}$/,
  )
    .describe('Default: odoo.')
    .optional(),
  domain: domain().describe('Name that users type. Default: <cluster>.example.').optional(),
  users: whole('a number of users', 1, 100000)
    .describe('Concurrent users; sizes workers, pools and PostgreSQL. Default: 50.')
    .optional(),
  sessions: choice('place for sessions', ['redis', 'files'])
    .describe('Default: redis when a host has that role, else files (in the filestore).')
    .optional(),
  languages: z
    .array(
      text('a language', 'a code of Odoo, e.g. de_DE', /^[a-z]{2,3}(_[A-Z0-9]{2,3})?(@[a-z]+)?$/),
      {
        error: ({ input }) =>
          words(`${show(input)} is not a list of languages`, 'e.g. [de_DE, fr_FR]'),
      },
    )
    .describe('Loaded when the database is created, beside English. Default: none.')
    .optional(),
  settings: settings('odoo.conf').describe('Any odoo.conf key, for all Odoo services.').optional(),
});

const postgres = section({
  replication: section({
    synchronous: choice('kind of replication', ['off'], {
      on: 'off, until there are standbys',
      remote_apply: 'off, until there are standbys',
    }).optional(),
  }).optional(),
  ha: choice('high availability', ['manual'], { patroni: 'manual' })
    .describe('Default: manual.')
    .optional(),
  settings: settings('postgresql.conf').describe('Any postgresql.conf key.').optional(),
});

const pgbouncer = section({
  pool_mode: choice('pool mode', ['session'], {
    transaction: 'session: LISTEN/NOTIFY of the bus and of cron breaks in transaction mode',
    statement: 'session: Odoo needs transactions',
  })
    .describe('Default: session.')
    .optional(),
  max_client_conn: whole('a number of connections', 10, 100000)
    .describe('Default: 10000.')
    .optional(),
  settings: settings('pgbouncer.ini').describe('Any pgbouncer.ini key.').optional(),
});

const edge = section({
  balancer: choice('balancer', ['nginx'], { haproxy: 'nginx' })
    .describe('Default: nginx.')
    .optional(),
  balance: choice('way to balance', ['round-robin', 'sticky'])
    .describe('sticky: the same client always gets the same app host. Default: round-robin.')
    .optional(),
  tls: z
    .union(
      [
        z.literal('self-signed'),
        section({
          certificate: path.describe('PEM file with the chain, relative to this file.'),
          key: path.describe('PEM file with the private key.'),
        }),
      ],
      { error: ({ input }) => tlsWords(input) },
    )
    .describe('Default: self-signed.')
    .optional(),
  max_body: text('the size of a request', "nginx's way, e.g. 128m", /^[1-9]\d{0,9}[kmg]?$/i)
    .describe('Largest upload. Default: 128m, as Odoo itself.')
    .optional(),
  waf: choice('mode of the WAF', ['off'], { detect: 'off', block: 'off' }).optional(),
});

function tlsWords(input: unknown): string {
  const expected = 'self-signed or { certificate: FILE, key: FILE }';
  return input === 'acme'
    ? words(unsupported('tls "acme"'), expected)
    : words(`${show(input)} is not a way to get a certificate`, expected);
}

const filestore = section({
  type: choice('type of filestore', ['local', 'posix'], {
    nfs: 'posix: mount the NFS export on every Odoo host yourself',
  }).describe('local: one host runs Odoo (then the default). posix: a shared mount that is there.'),
  path: text(
    'an absolute path',
    'an absolute path without blanks, e.g. /srv/odoo',
    /^\/[\w./+-]*[\w+-]$/,
  )
    .describe("Odoo's data directory. Default: /var/lib/odoo (local), /srv/odoo (posix).")
    .optional(),
});

export const inventorySchema = section({
  cluster: text('a cluster name', 'lower-case letters, digits and -', /^[a-z][a-z0-9-]{0,39}$/)
    .describe("Default: the file's name.")
    .optional(),
  ssh: ssh.describe('How hosts are reached.').optional(),
  odoo: odoo.describe('Odoo itself.').optional(),
  postgres: postgres.describe('The database.').optional(),
  pgbouncer: pgbouncer.describe('The connection pool before it.').optional(),
  redis: section({
    settings: settings('redis.conf').describe('Any redis.conf key.').optional(),
  })
    .describe('Sessions.')
    .optional(),
  edge: edge.describe('HTTPS, balancing, static files.').optional(),
  filestore: filestore.describe('Where attachments are.').optional(),
  hosts: z
    .record(
      text(
        'a host name',
        'letters, digits and -, not at an end, at most 63',
        /^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/,
      ),
      host,
      {
        error: ({ input }) =>
          words(`${show(input)} is not a map of hosts`, 'name: { address, roles }'),
      },
    )
    .describe('The machines. Everything else has a default.'),
});

/** A checked inventory as it was written. */
export type Input = z.infer<typeof inventorySchema>;
export type SshInput = z.infer<typeof ssh>;

/** The inventory's JSON Schema (draft 7, which editors know), for `odoo-prov schema`. */
export function inventoryJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(inventorySchema, { io: 'input', target: 'draft-7' });
  return { ...schema, title: 'odoo-prov inventory' };
}
