import { slotOf } from '../postgres/layout.js';
import { ALONE_FILE } from '../resource/index.js';
import { problem, warning, type Alert } from './alert.js';
import { serverOf } from './database.js';
import type { Place } from './durability.js';
import type { ClusterStatus, HostStatus } from './model.js';
import type { PostgresServer } from './postgres.js';
import { list } from './words.js';

const APPLY = 'odoo-prov apply FILE';
/** What another file of the operator's says is not apply's to change. */
const MENDS = `${APPLY} takes it back, or names who has to`;

/**
 * Where a server keeps less of what is saved than the inventory says: its commits wait for nobody, its WAL goes nowhere.
 * On a standby that is a warning: it counts once it is primary.
 */
export function durabilityRules(host: HostStatus, status: ClusterStatus): readonly Alert[] {
  const server = serverOf(host);
  // What a restore needs meanwhile is its own matter.
  if (server === undefined || host.restoring) return [];
  return [
    ...waitsRules(host.host, server, status.wanted.synchronous),
    ...(status.wanted.synchronous.length === 0 ? [] : commitRules(host.host, server)),
    ...(status.wanted.archive ? archivedRules(host.host, server) : []),
    ...missingSlots(host.host, server, status.wanted.databases),
  ];
}

/** A problem of the primary; what is only so once the host is primary is a warning. */
function now({ recovering }: PostgresServer): typeof problem {
  return recovering ? warning : problem;
}

function once({ recovering }: PostgresServer, host: string): string {
  return recovering ? `, once ${host} is primary` : '';
}

function said({ file, line }: Place): string {
  if (file === null) return 'by no file that PostgreSQL reads';
  return line === null ? `by ${file}` : `by ${file} line ${String(line)}`;
}

function waitsRules(
  host: string,
  server: PostgresServer,
  wanted: readonly string[],
): readonly Alert[] {
  // Audited, and told with its time.
  if (wanted.length === 0 || server.aloneFor !== null) return [];
  const named = namesIn(server.synchronousStandbyNames);
  const standbys = wanted.map((name) => name.toLowerCase());
  const others = named.filter((name) => !standbys.includes(name));
  if (named.length > 0 && others.length === 0) return [];
  const where = said(server.durability.synchronous);
  const waits =
    named.length === 0
      ? 'commits wait for no standby'
      : `commits may wait for ${list(others)} alone, which no failover counts on`;
  return [
    now(server)({
      id: 'postgres.not-synchronous',
      host,
      message: `${waits}${once(server, host)}, though the inventory says synchronous: ${host} has synchronous_standby_names '${server.synchronousStandbyNames}' ${where}. The next failover may lose what was acknowledged`,
      next: where.includes(ALONE_FILE)
        ? `on ${host}, as postgres: select pg_reload_conf(), for that file is gone; then ${APPLY}`
        : MENDS,
    }),
  ];
}

/** The names in `synchronous_standby_names`, which knows no difference of capital and small letters. */
function namesIn(text: string): readonly string[] {
  const inner = /\(([^)]*)\)/.exec(text)?.[1] ?? text;
  return inner
    .split(',')
    .map((name) => name.trim().replaceAll('"', '').toLowerCase())
    .filter((name) => name !== '');
}

/** Spellings of `synchronous_commit` that wait until a standby has the commit on its disk; remote_write does not. */
const WAITS = ['on', 'true', 'yes', '1', 'remote_apply'];

function commitRules(host: string, server: PostgresServer): readonly Alert[] {
  const { commit, overrides } = server.durability;
  const weak = (value: string): boolean => !WAITS.includes(value.toLowerCase());
  const ways = [
    ...(commit !== null && weak(commit.value) ? [`${commit.value} ${said(commit)}`] : []),
    ...overrides
      .filter(({ name, value }) => name === 'synchronous_commit' && weak(value))
      .map(({ value, whose }) => `${value} for ${whose}`),
  ];
  if (ways.length === 0) return [];
  return [
    now(server)({
      id: 'postgres.commit',
      host,
      message: `${host} confirms commits before a standby has them${once(server, host)}, though the inventory says synchronous: synchronous_commit is ${list(ways)}. The next failover loses them`,
      next: MENDS,
    }),
  ];
}

function archivedRules(host: string, server: PostgresServer): readonly Alert[] {
  const [first] = server.durability.archive;
  if (first === undefined) return [];
  const { off } = server.configuration;
  // Told as such, and PostgreSQL keeps the WAL meanwhile.
  if (first.name === 'archive_command' && off.includes('archive_command empty')) return [];
  // A backup made before the archive works again cannot be restored either.
  const backup =
    '; then odoo-prov backup FILE --type full, for what was not archived is missing in the backups of before';
  // Not one of odoo-prov's settings: apply sees it only where ALTER SYSTEM has said it.
  const mend =
    first.name === 'archive_library'
      ? `take archive_library out there and reload PostgreSQL; ${APPLY} takes back what ALTER SYSTEM said`
      : MENDS;
  const restart =
    first.name === 'archive_mode' && !server.recovering
      ? ` (with --restart-primary: archive_mode is read at a start)`
      : '';
  return [
    now(server)({
      id: 'postgres.archive-elsewhere',
      host,
      message: `${host} does not archive as odoo-prov has it: ${first.name} is another one, ${said(first)}. WAL goes nowhere that is known${once(server, host)}, so no moment from then on can be restored`,
      next: `${mend}${restart}${server.recovering ? '' : backup}`,
    }),
  ];
}

/** Without its slot a standby gets nothing from that host. */
function missingSlots(
  host: string,
  { slots, recovering }: PostgresServer,
  databases: readonly string[],
): readonly Alert[] {
  const missing = databases.filter(
    (name) => name !== host && !slots.some((slot) => slot.name === slotOf({ name })),
  );
  if (missing.length === 0) return [];
  return [
    warning({
      id: 'postgres.slot-missing',
      host,
      message: `${host} has no replication slot for ${list(missing)}: ${missing.length === 1 ? 'it' : 'they'} could not follow ${host}${recovering ? ' after a move of the primary' : ''}`,
      next: `${APPLY} makes what is missing`,
    }),
  ];
}
