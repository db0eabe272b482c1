import { finishAll } from '../../src/concurrency/finish-all.js';
import { Failure, type FailureDetails } from '../../src/failure/failure.js';
import { databaseHosts, hostsWith, type Cluster } from '../../src/inventory/cluster.js';
import { slotOf } from '../../src/postgres/layout.js';
import { STANDBY_LOSS_PROGRAM } from '../../src/postgres/standby-loss.js';
import { createSlotSql, dropLostSlotSql } from '../../src/resource/postgres-slot.js';
import { raw, sh, strict, type Script } from '../../src/shell/index.js';
import { OWN_WORDS } from '../../src/transport/classify.js';
import type { Session } from '../../src/transport/session.js';
import { SQL_FUNCTION } from './sight.js';

/** A step for those who watch: what was done where, and when. */
export interface Step {
  readonly host: string;
  readonly text: string;
  /** Milliseconds since the first step began. */
  readonly at: number;
}

/** What the steps of moving a primary work with. */
export interface Mover {
  readonly cluster: Cluster;
  readonly sessions: ReadonlyMap<string, Session>;
  readonly tell: (host: string, text: string) => void;
  /** Called when somebody new takes writes, right before clients are let through to it. */
  readonly onPromoted?: () => void;
  /** Called where the archive does not answer this host: nothing is to wait for it. */
  readonly onArchiveAway?: (host: string) => void;
}

const remedy = 'run the same command again: it goes on from what it finds';

/** Of what fails while nobody takes writes. */
const again = `${remedy}. Clients are held back until it has come to its end`;

/** Milliseconds without a line after which those who watch are told what is waited for. */
const PATIENCE = 10_000;
/** Milliseconds from which that is told each minute only: a copy of everything takes hours. */
const LONG = 120_000;

/** Tells every 10 s, later every minute, that a step is not done yet. @returns what ends that */
function tellWaiting(mover: Mover, host: string, what: string): () => void {
  let waited = 0;
  const waiting = setInterval(() => {
    waited += PATIENCE;
    if (waited > LONG && waited % 60_000 !== 0) return;
    mover.tell(host, `not done yet, after ${String(waited / 1000)} s: ${what}`);
  }, PATIENCE);
  return () => clearInterval(waiting);
}

/**
 * Runs one step on a host. Where it takes long, that is told.
 * @param limit seconds
 * @param next what to do where it fails, and does not say so itself ({@link OWN_WORDS})
 * @throws Failure command-failed with what it printed
 */
export async function step(
  mover: Mover,
  host: string,
  what: string,
  script: Script,
  limit = 60,
  next = remedy,
): Promise<string> {
  const session = mover.sessions.get(host);
  if (session === undefined) throw new Error(`${host} is not connected`);
  const broken = (details: FailureDetails): Failure => {
    mover.tell(host, `could not: ${what}`);
    const message = `could not ${what}: ${details.message}`;
    return new Failure({ ...details, message });
  };
  const done = tellWaiting(mover, host, what);
  const { code, stdout, stderr } = await session
    .run(strict(script), { limit })
    .catch((error: unknown) => {
      throw error instanceof Failure ? broken({ ...error.details, remedy: next }) : error;
    })
    .finally(done);
  if (code === 0) return stdout.trim();
  const own = OWN_WORDS.exec(stderr.trim())?.groups;
  if (own !== undefined) {
    const { message = '', expected = '', found = '', next: remedy = next } = own;
    throw broken({ reason: 'command-failed', host, message, expected, found, remedy });
  }
  throw broken({
    reason: 'command-failed',
    host,
    message: 'the command failed',
    expected: 'exit code 0',
    found: `exit code ${String(code)}`,
    output: `${stdout}\n${stderr}`,
    remedy: next,
  });
}

/** A line in the host's audit log, as every change of odoo-prov leaves one. */
export function audit(text: string): string {
  return `mkdir -p /var/log/odoo-prov
printf '%s %s\\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" '${text.replaceAll("'", "'\\''")}' >>/var/log/odoo-prov/audit.log`;
}

/** Stops a server and keeps it down over reboots, until it rejoins. */
export async function fence(mover: Mover, host: string, why: string): Promise<void> {
  const script = raw(`${SQL_FUNCTION}
mkdir -p /var/lib/odoo-prov
echo "$(date -u +%Y-%m-%dT%H:%M:%SZ): ${why}" >/var/lib/odoo-prov/postgres-fenced.new
sync /var/lib/odoo-prov/postgres-fenced.new
mv -f /var/lib/odoo-prov/postgres-fenced.new /var/lib/odoo-prov/postgres-fenced
# One that answers hands its last WAL to the standbys while it stops: it gets time for that. One that hangs or is
# frozen does not stop when it is asked to; PostgreSQL's data survives a kill, and is rewound anyway.
patience=5
if [ "$(export PGCONNECT_TIMEOUT=3; echo 'select 1' | sql 2>/dev/null)" = 1 ]; then patience=90; fi
timeout "$patience" systemctl stop "$unit" || {
  systemctl kill --signal=SIGKILL "$unit" || :
  systemctl stop "$unit"
}
if [ -e "$data/postmaster.pid" ]; then
  pid=$(head -n 1 "$data/postmaster.pid")
  if kill -0 "$pid" 2>/dev/null; then echo "PostgreSQL still runs (process $pid)" >&2; exit 1; fi
fi
${audit(`fenced: ${why}`)}`);
  await step(mover, host, 'stop the old primary', script, 120, again);
  mover.tell(host, 'PostgreSQL is stopped, and stays down until it rejoins');
}

/**
 * Makes a standby take writes. PostgreSQL looks ten times a second whether its promotion has ended; clients wait
 * meanwhile, so it is asked more often.
 *
 * It has a slot for every other database host before: without it a standby is refused, and with synchronous replication no
 * write would end. One that cannot be made is told, and holds no promotion up.
 */
export async function promote(mover: Mover, host: string): Promise<void> {
  const slots = databaseHosts(mover.cluster)
    .filter(({ name }) => name !== host)
    .map(slotOf);
  const script = raw(`${SQL_FUNCTION}
rm -f /var/lib/odoo-prov/postgres-fenced
: >/var/lib/odoo-prov/postgres-had-standby
sql <<'EOF' 2>&1
\\set ON_ERROR_STOP 0
${slots.flatMap((slot) => [dropLostSlotSql(slot), createSlotSql(slot)]).join('\n')}
\\set ON_ERROR_STOP 1
select pg_promote(false) where pg_is_in_recovery();
do $$
begin
  for tries in 1..6000 loop
    exit when not pg_is_in_recovery();
    perform pg_sleep(0.01);
  end loop;
  if pg_is_in_recovery() then
    raise exception 'it was not promoted within 60 s';
  end if;
end $$;
select 'timeline ' || ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int;
EOF
${audit('promoted')}`);
  const said = await step(mover, host, 'promote it', script, 90, again);
  const lines = said.split('\n');
  const made = lines.flatMap((line) => /^\((\w+),/.exec(line)?.[1] ?? []);
  if (made.length > 0)
    mover.tell(host, `made replication slots that it lacked: ${made.join(', ')}`);
  for (const line of lines.filter((text) => text.includes('ERROR:'))) {
    mover.tell(host, `a replication slot could not be made: ${line.replace(/^.*ERROR: */, '')}`);
  }
  mover.tell(host, `takes writes, on ${lines.at(-1) ?? ''}`);
}

/**
 * Writes a server's buffers out. A primary that was just promoted does so only in some minutes, and until then its files
 * say that it is on the old timeline: pgBackRest makes no backup of it.
 */
export async function checkpoint(mover: Mover, host: string): Promise<void> {
  const script = raw(`${SQL_FUNCTION}
echo 'checkpoint' | sql`);
  await step(mover, host, 'write its buffers out', script, 600);
}

/** Lets a new primary commit without a standby; its own watch ends that when one has caught up. */
export async function goOnAlone(mover: Mover, host: string): Promise<void> {
  const reason = 'a failover left none, and was told to go on';
  await step(mover, host, 'let it commit alone', sh`${STANDBY_LOSS_PROGRAM} alone ${reason}`, 20);
  mover.tell(host, 'saves alone until a standby is back');
}

/**
 * Makes the other standbys look for the new primary at once, not when they notice that theirs is gone. One that noticed
 * sleeps until its next attempt (wal_retrieve_retry_interval); reading its settings again wakes it.
 */
export async function follow(mover: Mover, hosts: readonly string[]): Promise<void> {
  const script = raw(`${SQL_FUNCTION}
pid=$(echo 'select pid from pg_stat_wal_receiver' | sql)
if [ -n "$pid" ]; then kill -TERM "$pid" || :; else echo 'select pg_reload_conf()' | sql; fi`);
  await finishAll(
    hosts.map(async (host) => {
      await step(mover, host, 'reconnect the standby', script, 20);
    }),
  );
}

/** Odoo's bus sleeps 50 s after its connection was lost: a new process listens at once. */
export async function reconnectBus(mover: Mover): Promise<void> {
  const script = sh`if systemctl is-active --quiet odoo-gevent; then systemctl restart odoo-gevent; echo yes; fi`;
  await finishAll(
    hostsWith(mover.cluster, 'gevent').map(async ({ name }) => {
      if (!mover.sessions.has(name)) {
        mover.tell(name, 'is not reachable: its websockets reconnect when it is back');
        return;
      }
      const restarted = await step(mover, name, 'restart odoo-gevent', script, 90);
      if (restarted === 'yes') mover.tell(name, 'websockets are served again');
    }),
  );
}
