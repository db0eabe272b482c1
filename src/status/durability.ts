import { z } from 'zod';
import type { Cluster, Host } from '../inventory/cluster.js';
import { archiveSettings } from '../postgres/archive.js';
import { literal } from '../resource/postgres-sql.js';
import { OVERRIDES } from '../resource/postgres-overrides.js';

/** Where a setting is said: null where no file does. */
const place = { file: z.string().nullable(), line: z.number().nullable() };

/** What a server says of the settings by which saved data is kept, and who says so. */
export const durability = z.object({
  /** Who says `synchronous_standby_names`. */
  synchronous: z.object(place),
  /** The server's own `synchronous_commit`, whatever roles and databases say; null where no file says it. */
  commit: z.object({ value: z.string(), ...place }).nullable(),
  /** The primary's: what ALTER ROLE and ALTER DATABASE say. `whose`: `role odoo in database acme`. */
  overrides: z.array(z.object({ name: z.string(), value: z.string(), whose: z.string() })),
  /** Settings of the archive that are not as the inventory wants them. Not their values: somebody's command may hold a key. */
  archive: z.array(z.object({ name: z.string(), ...place })),
});

export type Durability = z.infer<typeof durability>;
export type Place = Durability['synchronous'];

/** What makes a setting in a session another one than the server's. */
const OF_SESSION = "('global', 'database', 'user', 'database user', 'client', 'session')";

/** One SQL expression that gives {@link durability} of the server on a host. */
export function durabilitySql(cluster: Cluster, host: Host): string {
  return `json_build_object(
    'synchronous', (
      select json_build_object('file', sourcefile, 'line', sourceline)
      from pg_settings where name = 'synchronous_standby_names'),
    'commit', (
      select json_build_object('value', setting, 'file', sourcefile, 'line', sourceline) from (
        select setting, sourcefile, sourceline from pg_settings
        where name = 'synchronous_commit' and source not in ${OF_SESSION}
        union all (
          select setting, sourcefile, sourceline from pg_file_settings
          where lower(name) = 'synchronous_commit' and exists (
            select from pg_settings where name = 'synchronous_commit' and source in ${OF_SESSION})
          order by seqno desc limit 1)) own),
    'overrides', coalesce((
      select json_agg(json_build_object('name', name, 'value', value, 'whose', whose) order by whose)
      from (${OVERRIDES}) o), '[]'),
    'archive', ${archiveSql(cluster, host)})`;
}

/** The command is compared as a whole: one that only looks like ours may do anything. */
function archiveSql(cluster: Cluster, host: Host): string {
  const { archive_mode: mode, archive_command: command } = archiveSettings({ cluster, host });
  if (mode === undefined || command === undefined) return "'[]'::json";
  // With archive_mode off PostgreSQL shows no command: that is told first. A library takes the place of the command.
  const wanted = [
    ['archive_mode', String(mode)],
    ['archive_library', ''],
    ['archive_command', String(command)],
  ].map(([name = '', value = ''], at) => `(${String(at)}, ${literal(name)}, ${literal(value)})`);
  return `coalesce((
      select json_agg(json_build_object('name', name, 'file', sourcefile, 'line', sourceline) order by at)
      from pg_settings join (values ${wanted.join(', ')}) wanted (at, key, value) on key = name
      where setting <> value), '[]')`;
}
