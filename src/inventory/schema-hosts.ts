import { z } from 'zod';
import { ROLES, SUPPORTED_ROLES, type RoleName } from './roles.js';
import { address, choice, filePath, flag, section, sizeFrom, text, whole } from './values.js';
import { show, words } from './words.js';

const supported = SUPPORTED_ROLES as [RoleName, ...RoleName[]];
const laterRoles = Object.fromEntries(
  ROLES.filter((role) => !SUPPORTED_ROLES.includes(role)).map((role) => [
    role,
    `one of: ${SUPPORTED_ROLES.join(', ')}`,
  ]),
);

/** How hosts are reached: at the top of the inventory and in each host. */
export const ssh = section({
  user: text('a user name', 'a login name, e.g. deploy', /^[a-z_][a-z0-9_-]{0,31}$/i)
    .describe('Whom to log in as. Default: ~/.ssh/config, then your own name.')
    .optional(),
  port: whole('a port', 1, 65535).describe('Default: ~/.ssh/config, then 22.').optional(),
  key: filePath
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
  known_hosts: filePath.describe('Default: ~/.ssh/known_hosts.').optional(),
  host_key: choice('way to check host keys', ['strict', 'accept-new'])
    .describe('strict (default): the key must be known. accept-new: a new host is recorded.')
    .optional(),
});

/**
 * What Debian itself asks for ("Debian GNU/Linux Installation Guide" of Debian 12, 3.4: 256 MB without a
 * desktop). What the roles need comes on top of that and is for lint to weigh.
 */
const memory = sizeFrom(
  256 * 1024 ** 2,
  'Debian itself does not run with so little',
  'at least 256MB',
);

/** One host. */
export const host = section({
  address: address()
    .meta({ format: 'ipv4' })
    .describe('IPv4 address; the hosts reach one another by it.'),
  roles: z
    .array(choice('role', supported, laterRoles), {
      error: ({ input }) => words(`${show(input)} is not a list of roles`, 'a list, e.g. [app]'),
    })
    .meta({ uniqueItems: true })
    .describe(
      'What the host does. Several roles on one host are normal. None: only for the host that postgres.backup names.',
    )
    // Asked for by check-roles.ts, which knows that host.
    .optional(),
  weight: whole('a weight', 1, 100)
    .describe('Share of requests that an app host gets. Default: 1.')
    .optional(),
  memory: memory.describe('Instead of what is detected, e.g. 16GB.').optional(),
  cores: whole('a number of cores', 1, 1024).describe('Instead of what is detected.').optional(),
  disk: choice('kind of disk', ['ssd', 'hdd']).describe('Default: ssd.').optional(),
  ssh: ssh.describe('Differs from the ssh section above in these keys.').optional(),
});

/** The section `hosts`. */
export const hosts = z
  .record(
    text(
      'a host name',
      'letters, digits and -, not at an end, at most 63',
      /^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/,
    ),
    host,
    {
      error: ({ input }) =>
        words(`${show(input)} is not a map of hosts`, 'hosts as name: { address: …, roles: […] }'),
    },
  )
  .meta({ minProperties: 1 })
  .describe('The machines. Everything else has a default.');
