import { z } from 'zod';
import { choice, filePath, section, text, whole } from './values.js';
import { show, words } from './words.js';

const CALENDAR = /^[A-Za-z0-9*][A-Za-z0-9*.,:/~ -]*$/;

function schedule(what: string, named: string): z.ZodString {
  return text(
    `a time for ${what}`,
    `${named} or an OnCalendar of systemd, e.g. Sat 02:30`,
    CALENDAR,
  );
}

/** A host name or an IPv4 address; no scheme: it is HTTPS always. */
const ENDPOINT = /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?$/;
/** Names that S3 and its like allow; no dots, by which a certificate for `*.endpoint` would not fit. */
const BUCKET = /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/;

/** The section `postgres.backup.s3`. */
const s3 = section({
  endpoint: text(
    'an endpoint of an S3 store',
    'a host name, :PORT where it is not 443, without https:// and bucket',
    ENDPOINT,
  ).describe('Host name of the store, with :PORT where it is not 443. Always HTTPS.'),
  bucket: text(
    'the name of a bucket',
    '3 to 63 lower-case letters, digits and hyphens',
    BUCKET,
  ).describe('A bucket that is there. odoo-prov makes none.'),
  region: text(
    'a region',
    'e.g. us-east-1, which most stores of your own take',
    /^[A-Za-z0-9-]+$/,
  ).describe('The region that requests are signed for. Most stores of your own take us-east-1.'),
  uri_style: choice('style of addresses', ['path', 'host'])
    .describe(
      'path: https://endpoint/bucket, which most stores take; host: https://bucket.endpoint. Default: path.',
    )
    .optional(),
  ca: filePath
    .describe(
      'PEM file of the authority that signed the store\u2019s certificate. Default: those that Debian trusts.',
    )
    .optional(),
});

/** The section `postgres.backup`. */
export const backup = section({
  host: text('a host name', 'the name of one of the hosts below', /^[A-Za-z0-9-]{1,63}$/)
    .describe('The host that keeps WAL archive and backups. It needs no roles. Either this or s3.')
    .optional(),
  s3: s3
    .describe('A bucket that keeps WAL archive and backups, in the place of a host.')
    .optional(),
  full: schedule('full backups', 'weekly, daily')
    .describe('weekly (Sunday 01:00), daily (01:00) or an OnCalendar. Default: weekly.')
    .optional(),
  diff: schedule('differential backups', 'daily, off')
    .describe('daily (01:00), off or an OnCalendar. Default: daily; off where full is daily.')
    .optional(),
  filestore: schedule('snapshots of the filestore', 'hourly, off')
    .describe(
      'hourly, off or an OnCalendar: when the attachments are saved to the same place. Default: hourly.',
    )
    .optional(),
  keep: whole('a number of full backups', 1, 1000)
    .describe('Full backups that are kept, with all WAL since the oldest. Default: 2.')
    .optional(),
  path: text(
    'an absolute path',
    'an absolute path without blanks, e.g. /srv/pgbackrest',
    /^\/[\w./+-]*[\w+-]$/,
  )
    .describe(
      'The repository on that host, default /var/lib/pgbackrest; or in the bucket, default / and the name of the cluster.',
    )
    .optional(),
  accept_same_host: z
    .literal(true, {
      error: ({ input }) => words(`${show(input)} accepts nothing`, 'true, or the key left out'),
    })
    .describe('The repository may lie on a host that holds the data itself.')
    .optional(),
});
