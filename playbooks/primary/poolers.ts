import { finishAll } from '../../src/concurrency/finish-all.js';
import { Failure } from '../../src/failure/failure.js';
import { hostsWith, type Cluster, type Host } from '../../src/inventory/cluster.js';
import { postgresOf } from '../../src/odoo/layout.js';
import { PGBOUNCER_CONSOLE, PGBOUNCER_DATABASES } from '../../src/odoo/pgbouncer.js';
import { raw } from '../../src/shell/index.js';
import { audit, step, type Mover } from './steps.js';

/** The databases that PgBouncer leads to the primary. */
export function pooled(cluster: Cluster): readonly string[] {
  return [cluster.odoo.database, 'postgres'];
}

/** One command a database. */
function each(cluster: Cluster, command: 'KILL' | 'RESUME'): string {
  return pooled(cluster)
    .map((database) => `'${command} "${database}"'`)
    .join(' ');
}

/**
 * Shell function `pooler PAUSED HOST COMMAND…`: gives commands to PgBouncer's console, over one connection, and succeeds
 * if then all its databases are paused (1) or not (0) and lead to the host; either may be empty. The answers to the commands
 * do not count: an attempt that broke off may have done some of it, and PgBouncer calls that an error.
 */
function poolerFunction(cluster: Cluster): string {
  const databases = pooled(cluster);
  return `pooler() {
  paused=$1
  host=$2
  shift 2
  printf '%s;\\n' "$@" 'SHOW DATABASES' | ${PGBOUNCER_CONSOLE} -P tuples_only=off |
    awk -F '|' -v names=' ${databases.join(' ')} ' -v paused="$paused" -v host="$host" '
      !column["paused"] { for (i = 1; i <= NF; i++) column[$i] = i; next }
      index(names, " " $1 " ") && (paused == "" || $column["paused"] == paused) && (host == "" || $column["host"] == host) { well++ }
      END { exit well != ${String(databases.length)} }'
}`;
}

const UNMADE = 'unmade';

/** Ends a script on a host that apply has not made a PgBouncer yet: it leads nobody, and the apply that follows makes it one. */
const IF_MADE = `if ! [ -e ${PGBOUNCER_DATABASES} ] && ! systemctl is-active --quiet pgbouncer; then echo ${UNMADE}; exit 0; fi`;

/**
 * Drops all clients and servers at each PgBouncer; those that come meanwhile wait until {@link letThrough}.
 * PgBouncer 1.24.1 may crash when KILL meets a client that is logging in, and systemd would start it again, open for
 * all: then it is stopped, and clients are refused for that time.
 */
export async function cutOff(mover: Mover): Promise<void> {
  const script = raw(`${IF_MADE}
${poolerFunction(mover.cluster)}
pooler 1 '' ${each(mover.cluster, 'KILL')} || {
  systemctl stop --no-block pgbouncer
  systemctl kill --signal=SIGQUIT pgbouncer 2>/dev/null || :
  systemctl stop pgbouncer
  echo stopped
}`);
  await finishAll(
    hostsWith(mover.cluster, 'pgbouncer').map(async ({ name }) => {
      const said = await step(mover, name, 'cut PgBouncer off', script, 30);
      if (said === UNMADE) {
        mover.tell(name, 'is no PgBouncer yet: the apply that ends this makes it one');
        return;
      }
      const stopped = said.endsWith('stopped');
      mover.tell(name, `PgBouncer ${stopped ? 'is stopped' : 'holds all clients back'}`);
    }),
  );
}

/** Shell function `point`: writes where PgBouncer leads its clients, and succeeds when it has taken that in. */
function pointFunction(cluster: Cluster, address: string): string {
  return `${poolerFunction(cluster)}
point() {
  file=${PGBOUNCER_DATABASES}
  cp -p "$file" "$file.new" && sed -E "s/ host=[^ ]+/ host=${address}/" "$file" >"$file.new" && sync "$file.new" &&
    mv -f "$file.new" "$file" || exit 1
  ${audit(`PgBouncer leads to ${address}`)}
  pooler '' '${address}' RELOAD
}`;
}

/** What goes on at each PgBouncer, by its host; whether that has fallen silent. Never rejects. */
export type Pointing = ReadonlyMap<string, Promise<boolean>>;

/**
 * Begins to point each PgBouncer to the server that is about to take writes. It still holds its clients back, so this costs
 * them no time. What fails is told, and done again by {@link letThrough}, which is to be given what is begun here: it alone waits
 * for it, each host for its own, so that nobody's clients wait for one that is gone.
 */
export function pointTo(mover: Mover, observed: Cluster): Pointing {
  const hosts = hostsWith(mover.cluster, 'pgbouncer');
  return new Map(hosts.map((host) => [host.name, pointOne(mover, observed, host)]));
}

async function pointOne(mover: Mover, observed: Cluster, host: Host): Promise<boolean> {
  const { host: address } = postgresOf(observed, host);
  const script = raw(`${IF_MADE}
${pointFunction(mover.cluster, address)}
point || ! systemctl is-active --quiet pgbouncer || exit 1`);
  try {
    await step(mover, host.name, `point PgBouncer to ${address}`, script, 30);
    return false;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return isSilence(error);
  }
}

function isSilence({ reason }: Failure): boolean {
  return reason === 'timeout' || reason === 'unreachable';
}

/** For {@link letThrough}, where nothing was begun: the host by whose silence a move broke off. */
export function silentIn(why: unknown): Pointing {
  const host = why instanceof Failure && isSilence(why) ? why.details.host : undefined;
  return new Map(host === undefined ? [] : [[host, Promise.resolve(true)]]);
}

/** Seconds for a PgBouncer to let its clients through, and for one that gave no answer just before. */
const LET_THROUGH_LIMIT = 30;
const SILENT_LIMIT = 5;

/**
 * Lets the clients through again, to the server that takes writes now; never to another one: PgBouncer is asked where it
 * leads before they are let go.
 * @param pointing what {@link pointTo} has begun
 */
export async function letThrough(
  mover: Mover,
  observed: Cluster,
  pointing: Pointing = new Map(),
): Promise<void> {
  await finishAll(
    hostsWith(mover.cluster, 'pgbouncer').map(async (host) => {
      const { host: address } = postgresOf(observed, host);
      const script = raw(`${IF_MADE}
${pointFunction(mover.cluster, address)}
{ pooler '' '${address}' || point; } && pooler 0 '${address}' ${each(mover.cluster, 'RESUME')} ||
  systemctl restart pgbouncer`);
      const silent = await pointing.get(host.name);
      const limit = silent === true ? SILENT_LIMIT : LET_THROUGH_LIMIT;
      const what = `let clients through to ${address}`;
      const said = await step(mover, host.name, what, script, limit);
      if (said !== UNMADE) mover.tell(host.name, `PgBouncer lets clients through, to ${address}`);
    }),
  );
}
