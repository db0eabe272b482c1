import { Failure } from '../../src/failure/failure.js';
import { REPLICATION_USER } from '../../src/postgres/layout.js';
import { raw } from '../../src/shell/index.js';
import { SQL_FUNCTION } from './sight.js';
import { step, type Mover } from './steps.js';

const CLOSED = raw(`${SQL_FUNCTION}
sql <<'EOF'
select coalesce((
  select concat_ws(', ', case when not rolcanlogin then 'NOLOGIN' end, case when not rolreplication then 'NOREPLICATION' end,
    case when rolvaliduntil < now() then 'VALID UNTIL ' || to_char(rolvaliduntil at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"') end)
  from pg_roles where rolname = '${REPLICATION_USER}'), 'it is missing');
EOF`);

/**
 * Why standbys cannot log in anew at a primary, e.g. `NOLOGIN, VALID UNTIL 2026-01-01 00:00:00 UTC`; empty where they can.
 * @throws Failure command-failed where it does not say
 */
export function replicationClosed(mover: Mover, host: string): Promise<string> {
  return step(mover, host, 'see whether standbys can log in', CLOSED, 20);
}

/**
 * Sees that standbys can log in anew: those that stream go on though their role is closed, and could not follow another primary.
 * @param host the primary, whose roles are those of whoever comes after it
 * @throws Failure refused, before anything was changed
 */
export async function requireReplicationLogin(mover: Mover, host: string): Promise<void> {
  const found = await replicationClosed(mover, host);
  if (found === '') return;
  throw new Failure({
    reason: 'refused',
    host,
    message: `the role ${REPLICATION_USER} lets nobody in: no host could follow the new primary; nothing was changed`,
    expected: 'LOGIN REPLICATION, and no VALID UNTIL that is over',
    found,
    remedy: '`odoo-prov apply FILE` takes that back; then run this again',
  });
}
