import { z } from 'zod';
import { backup } from './schema-backup.js';
import { hosts, ssh } from './schema-hosts.js';
import { odoo } from './schema-odoo.js';
import {
  choice,
  filePath,
  network,
  section,
  settings,
  size,
  text,
  unsupported,
  whole,
} from './values.js';
import { didYouMean, show, words } from './words.js';

/*
 * The inventory as it is written (snake_case). It only checks, it changes nothing: `build.ts` fills in the
 * defaults. Descriptions are what editors show and what docs/inventory.md is held against.
 */

const postgres = section({
  replication: section({
    synchronous: choice('synchronous', ['off', 'on', 'remote_apply'])
      .describe(
        'What a commit waits for. off (default): the primary alone. on: also a standby has it on disk. remote_apply: it can be read on a standby.',
      )
      .optional(),
    max_lag: size()
      .describe('A standby that lacks more WAL than this counts as lagging. Default: 16MB.')
      .optional(),
    on_standby_loss: choice('way to go on', ['block', 'continue'])
      .describe(
        'With synchronous replication, once no standby is left: block (default), commits wait until one is back; continue, the primary commits alone meanwhile.',
      )
      .optional(),
  }).optional(),
  backup: backup.describe('WAL archive and backups, by pgBackRest. Default: none.').optional(),
  reporting: section({
    from: z
      .array(network())
      .min(1, { error: () => words('nobody could report', 'at least one address or network') })
      .describe('Who may connect: addresses and networks.'),
    connections: whole('a number of connections', 1, 200).describe('Default: 10.').optional(),
  })
    .describe('A role "reporting" that reads Odoo\'s database, on the replicas. Default: none.')
    .optional(),
  ha: choice('ha', ['manual'], { patroni: 'manual' }).describe('Default: manual.').optional(),
  lone_start: choice('way to start alone', ['wait', 'start'])
    .describe(
      'A primary that comes back while no other database host answers: wait (default) until one does, or start.',
    )
    .optional(),
  settings: settings('postgresql.conf').describe('Any postgresql.conf key.').optional(),
});

const pgbouncer = section({
  pool_mode: choice('pool mode', ['session', 'transaction'], {
    statement: 'session or transaction: Odoo needs transactions',
  })
    .describe('transaction: only where no add-on needs a session. Default: session.')
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
          certificate: filePath.describe('PEM file with the chain, relative to this file.'),
          key: filePath.describe('PEM file with the private key.'),
        }),
      ],
      { error: ({ input }) => tlsWords(input) },
    )
    .describe('Default: self-signed.')
    .optional(),
  max_body: text('the size of a request', "nginx's way, e.g. 128m", /^[1-9]\d{0,9}[kmg]?$/i)
    .describe('Largest upload. Default: 128m, as Odoo itself.')
    .optional(),
  waf: choice('waf', ['off'], { detect: 'off', block: 'off' }).optional(),
});

function tlsWords(input: unknown): string {
  const expected = 'self-signed or { certificate: FILE, key: FILE }';
  const hint = typeof input === 'string' ? didYouMean(input, ['self-signed']) : '';
  return input === 'acme'
    ? words(unsupported('tls "acme"'), expected)
    : words(`${show(input)} is not a way to get a certificate${hint}`, expected);
}

const filestore = section({
  type: choice('filestore', ['local', 'posix'], {
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
  failover_test: section({
    rto: whole('a number of seconds', 1, 3600)
      .describe(
        'Longest time, in seconds, until every client can write, and every user is answered, again. Default: 60.',
      )
      .optional(),
    rpo: whole('a number of seconds', 0, 3600)
      .describe(
        'Longest time, in seconds, of which saved writes may be lost in a failover. Default: 0 with synchronous replication, else 5.',
      )
      .optional(),
    gap: whole('a number of seconds', 1, 3600)
      .describe(
        'Longest time, in seconds, for which a client or user may be without a success where the cluster survives. Default: 5.',
      )
      .optional(),
    failed_requests: whole('a number of requests', 0, 10_000)
      .describe('How many requests of users may fail where the cluster survives. Default: 3.')
      .optional(),
  })
    .describe('From where on failover-test says failed.')
    .optional(),
  hosts,
});

/** A checked inventory as it was written. */
export type Input = z.infer<typeof inventorySchema>;
export type SshInput = z.infer<typeof ssh>;
