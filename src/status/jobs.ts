import { z } from 'zod';
import { PSQL } from '../resource/postgres-sql.js';
import { sh, type Script } from '../shell/index.js';

const jobs = z.object({
  active: z.number(),
  /** Seconds since the end of the newest run of any job; null when none ever ran. */
  lastRunAge: z.number().nullable(),
  /** Seconds for which the job that is longest overdue should have been run; 0 when none is. */
  overdue: z.number(),
});

/** Odoo's scheduled jobs, as its database tells. */
export type JobsStatus = z.infer<typeof jobs>;

/** Prints one JSON object; nothing where the database has no jobs yet. Odoo keeps these times in UTC. */
export function jobsProbe(database: string): Script {
  return sh`
${PSQL}
psql_as_postgres ${database} 2>/dev/null <<'SQL' || :
set statement_timeout = '5s';
select to_regclass('public.ir_cron') is not null as there \gset
\if :there
select json_build_object(
  'active', count(*),
  'lastRunAge', extract(epoch from (clock_timestamp() at time zone 'UTC') - max(lastcall)),
  'overdue', greatest(0, extract(epoch from (clock_timestamp() at time zone 'UTC') - min(nextcall))))
from ir_cron where active;
\endif
SQL`;
}

/** Reads what {@link jobsProbe} printed; null where there are none. @throws Error on anything else */
export function parseJobs(text: string): JobsStatus | null {
  return text.trim() === '' ? null : jobs.parse(JSON.parse(text));
}
