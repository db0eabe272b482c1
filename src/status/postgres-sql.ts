import type { Cluster, Host } from '../inventory/cluster.js';
import { archiveErrorSql } from '../postgres/archive-failure.js';
import { REPLAYED_PAST_FORK } from '../postgres/past-fork.js';
import {
  ALONE_FILE,
  AUTO_FILE,
  HOT_STANDBY_NAMES,
  PENDING,
  SETTINGS_FILE,
} from '../resource/index.js';
import { connectionLimitsSql } from './connection-limits.js';
import { durabilitySql } from './durability.js';
import { odooSessionsSql } from './odoo-sessions.js';

/** Sessions whose commit waits for a standby, with the statement that does: begun so long ago that it may have waited a second. */
const COMMITS_WAITING = `select pid || '@' || query_start as session from pg_stat_activity
  where wait_event = 'SyncRep' and query_start < clock_timestamp() - interval '1 s'`;

/**
 * Every commit waits for a moment, and nobody says since when: where one does, it is looked again a second later. The primary
 * itself takes a standby that fell silent for connected until wal_sender_timeout is over. Gives no row.
 */
const SEE_TWICE = `select from (
  select set_config('odoo_prov.waiting', coalesce(string_agg(session, ','), ''), false) as seen
  from (${COMMITS_WAITING}) w) s where seen is null;
select from (
  select pg_sleep(case current_setting('odoo_prov.waiting') when '' then 0 else 1 end)::text as slept offset 0) s
where slept is null;`;

/**
 * One query that gives all that `status` shows of a server as one JSON object, primary or standby alike; the
 * form is `server` in postgres.ts. Positions are bytes of WAL (a pg_lsn less 0/0), ages are seconds by the
 * server's own clock. It runs as the superuser: other roles see no positions of other sessions.
 *
 * Where the numbers come from: PostgreSQL manual, "The Cumulative Statistics System" (pg_stat_replication,
 * pg_stat_wal_receiver, pg_stat_archiver), "System Views" (pg_replication_slots, pg_file_settings, pg_hba_file_rules)
 * and "System Administration Functions" (recovery and control data functions).
 */
export function statusSql(cluster: Cluster, host: Host): string {
  return `
set statement_timeout = '5s';
${SEE_TWICE}
with here as materialized (
  select pg_is_in_recovery() as recovering,
    case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end as position,
    case when pg_is_in_recovery()
      then greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())
      else pg_current_wal_lsn() end as received
)
select json_build_object(
  'version', current_setting('server_version_num')::int,
  'systemIdentifier', (select system_identifier::text from pg_control_system()),
  'recovering', recovering,
  -- The control file learns of a promotion only with the checkpoint after it, a standby's with its next restartpoint: WAL
  -- says it at once, and goes on saying it when the receiver is gone.
  'timeline', case when recovering then greatest(
      (select received_tli from pg_stat_wal_receiver),
      (select max(('x' || substr(name, 1, 8))::bit(32)::int) from pg_ls_waldir() where name ~ '^[0-9A-F]{24}$'),
      (select timeline_id from pg_control_checkpoint()),
      (select min_recovery_end_timeline from pg_control_recovery()))
    else ('x' || substr(pg_walfile_name(position), 1, 8))::bit(32)::int end,
  'position', position - '0/0',
  'received', case when recovering then received - '0/0' end,
  'replayedAge', case when recovering
    then extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp()) end,
  'replayPaused', case when recovering then pg_is_wal_replay_paused() else false end,
  'hotStandby', (
    select json_object_agg(name, setting::int order by name) from pg_settings
    where name in (${HOT_STANDBY_NAMES})),
  'pastFork', ${REPLAYED_PAST_FORK},
  'uptime', extract(epoch from clock_timestamp() - pg_postmaster_start_time()),
  'commitsWaiting', (select count(*) from (${COMMITS_WAITING}) w
    where session = any (string_to_array(current_setting('odoo_prov.waiting'), ','))),
  'synchronousStandbyNames', current_setting('synchronous_standby_names'),
  -- Since when a synchronous primary commits without a standby.
  'aloneFor', (
    select extract(epoch from clock_timestamp() - modification) from pg_stat_file(
      regexp_replace(current_setting('config_file'), '[^/]*$', '${ALONE_FILE}'), true)),
  'connections', (
    select json_build_object(
      'used', count(*),
      'active', count(*) filter (where state = 'active' and pid <> pg_backend_pid()),
      'idleInTransaction', count(*) filter (where state like 'idle in transaction%'),
      'waiting', count(*) filter (where wait_event_type = 'Lock'),
      'oldestTransaction', max(extract(epoch from clock_timestamp() - xact_start))
        filter (where pid <> pg_backend_pid()),
      'max', current_setting('max_connections')::int,
      -- reserved_connections came with PostgreSQL 16.
      'reserved', current_setting('superuser_reserved_connections')::int
        + coalesce(current_setting('reserved_connections', true), '0')::int)
    from pg_stat_activity where backend_type = 'client backend'),
  'limits', case when recovering then '[]' else ${connectionLimitsSql(cluster)} end,
  'odooSessions', case when not recovering then ${odooSessionsSql(cluster)} end,
  'downstream', coalesce((
    select json_agg(json_build_object(
      'name', application_name, 'address', host(client_addr), 'state', state, 'sync', sync_state,
      'lagBytes', case when replay_lsn is not null then greatest(0, received - replay_lsn) end, 'lagSeconds', extract(epoch from replay_lag))
      order by application_name)
    from pg_stat_replication), '[]'),
  'receiver', (
    select json_build_object(
      'status', status, 'from', sender_host, 'slot', slot_name,
      'silent', extract(epoch from clock_timestamp() - last_msg_receipt_time))
    from pg_stat_wal_receiver),
  'slots', coalesce((
    select json_agg(json_build_object(
      'name', slot_name, 'type', slot_type, 'active', active, 'pid', active_pid, 'walStatus', wal_status,
      'retained', greatest(0, received - restart_lsn)) order by slot_name)
    from pg_replication_slots), '[]'),
  'configuration', json_build_object(
    'own', exists (select from pg_file_settings where sourcefile like '%/${SETTINGS_FILE}'),
    'errors', coalesce((
      select json_agg(format('%s line %s: %s', file, line, error)) from (
        select sourcefile as file, sourceline as line, concat_ws(': ', name, error) as error from pg_file_settings
        where error is not null and error <> 'setting could not be applied'
          and error not like '%cannot be changed without restarting the server'
        union all
        -- file_name came with PostgreSQL 16.
        select coalesce(to_jsonb(door) ->> 'file_name', current_setting('hba_file')), line_number, error
        from pg_hba_file_rules door where error is not null) e), '[]'),
    -- Ours are by TLS and with a password, or over the socket as the system's user.
    'doors', coalesce((
      select json_agg(format('%s line %s: %s', coalesce(to_jsonb(door) ->> 'file_name', current_setting('hba_file')), line_number,
        concat_ws(' ', type, array_to_string(database, ','), array_to_string(user_name, ','), concat_ws('/', address, netmask), auth_method))
        order by line_number)
      from pg_hba_file_rules door where error is null and auth_method <> 'reject'
        and (type in ('host', 'hostnossl') or auth_method not in ('scram-sha-256', 'peer', 'cert'))), '[]'),
    -- Off in our own file means that the inventory says so.
    'off', coalesce((
      select json_agg(name || case setting when '' then ' empty' else ' off' end order by name) from pg_settings
      where coalesce(sourcefile, '') not like '%/${SETTINGS_FILE}'
        and (name in ('autovacuum', 'fsync', 'full_page_writes', 'ssl') and setting = 'off'
          or name = 'archive_command' and setting = '' and current_setting('archive_library') = '')), '[]'),
    'waiting', coalesce((
      select json_agg(name order by name) from pg_settings where ${PENDING}), '[]'),
    -- Of those, what another file says over our own, or ALTER SYSTEM: not what a restart is wanted for.
    'over', coalesce((
      select json_agg(json_build_object('name', name, 'file', sourcefile, 'line', sourceline) order by name)
      from (
        select distinct on (lower(name)) last.*, bool_or(sourcefile like '%/${SETTINGS_FILE}') over (partition by lower(name)) as ours
        from pg_file_settings last order by lower(name), seqno desc) last
      where lower(name) in (select lower(name) from pg_settings where pending_restart)
        and (sourcefile like '%/${AUTO_FILE}' or ours and sourcefile not like '%/${SETTINGS_FILE}')), '[]'),
    -- A file's time is in whole seconds. What waits for a restart is told above.
    'unread', coalesce((
      select json_agg(f.name order by f.name) from pg_file_settings f left join pg_settings s on lower(s.name) = lower(f.name)
      where f.sourcefile like '%/${AUTO_FILE}' and f.name is not null and s.pending_restart is not true
        and (pg_stat_file(f.sourcefile, true)).modification >= date_trunc('second', pg_conf_load_time())
        and not (coalesce(s.sourcefile, '') = f.sourcefile and s.setting = f.setting)), '[]')),
  'durability', ${durabilitySql(cluster, host)},
  'archive', case when current_setting('archive_mode') <> 'off' then (
    select json_build_object(
      'last', last_archived_wal,
      'lastAge', extract(epoch from clock_timestamp() - last_archived_time),
      'lastFailed', last_failed_wal,
      'lastFailedAge', extract(epoch from clock_timestamp() - last_failed_time),
      'error', ${archiveErrorSql(cluster)},
      'failing', coalesce(last_failed_time > coalesce(last_archived_time, '-infinity'), false),
      'waiting', (select count(*) from pg_ls_archive_statusdir() where name like '%.ready'),
      'waitingAge', (select max(extract(epoch from clock_timestamp() - modification))
        from pg_ls_archive_statusdir() where name like '%.ready'))
    from pg_stat_archiver) end
)
from here;
`;
}
