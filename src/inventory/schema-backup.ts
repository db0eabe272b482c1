import { z } from 'zod';
import { section, text, whole } from './values.js';
import { show, words } from './words.js';

const CALENDAR = /^[A-Za-z0-9*][A-Za-z0-9*.,:/~ -]*$/;

function schedule(what: string, named: string): z.ZodString {
  return text(
    `a time for ${what}`,
    `${named} or an OnCalendar of systemd, e.g. Sat 02:30`,
    CALENDAR,
  );
}

/** The section `postgres.backup`. */
export const backup = section({
  host: text('a host name', 'the name of one of the hosts below', /^[A-Za-z0-9-]{1,63}$/).describe(
    'The host that keeps WAL archive and backups. It needs no roles.',
  ),
  full: schedule('full backups', 'weekly, daily')
    .describe('weekly (Sunday 01:00), daily (01:00) or an OnCalendar. Default: weekly.')
    .optional(),
  diff: schedule('differential backups', 'daily, off')
    .describe('daily (01:00), off or an OnCalendar. Default: daily; off where full is daily.')
    .optional(),
  filestore: schedule('snapshots of the filestore', 'hourly, off')
    .describe(
      'hourly, off or an OnCalendar: when the attachments are saved to the same host. Default: hourly.',
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
    .describe('The repository on that host. Default: /var/lib/pgbackrest.')
    .optional(),
  accept_same_host: z
    .literal(true, {
      error: ({ input }) => words(`${show(input)} accepts nothing`, 'true, or the key left out'),
    })
    .describe('The repository may lie on a host that holds the data itself.')
    .optional(),
});
