import { finishAll } from '../../src/concurrency/finish-all.js';
import { hostsWith, type Cluster } from '../../src/inventory/cluster.js';
import { postgresOf } from '../../src/odoo/layout.js';
import { PGBOUNCER_CONSOLE, PGBOUNCER_DATABASES } from '../../src/odoo/pgbouncer.js';
import { raw } from '../../src/shell/index.js';
import { audit, urgentStep, type Mover } from './steps.js';

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
      const said = await urgentStep(mover, name, 'cut PgBouncer off', script, 30);
      if (said === UNMADE) {
        mover.tell(name, 'is no PgBouncer yet: the apply that ends this makes it one');
        return;
      }
      const stopped = said.endsWith('stopped');
      mover.tell(name, `PgBouncer ${stopped ? 'is stopped' : 'holds all clients back'}`);
    }),
  );
}

/** Shell function `point ADDRESS`: writes where PgBouncer leads its clients, and succeeds when it has taken that in. */
function pointFunction(cluster: Cluster): string {
  return `${poolerFunction(cluster)}
point() {
  file=${PGBOUNCER_DATABASES}
  cp -p "$file" "$file.new" && sed -E "s/ host=[^ ]+/ host=$1/" "$file" >"$file.new" && sync "$file.new" &&
    mv -f "$file.new" "$file" || exit 1
  pooler '' "$1" RELOAD
}`;
}

/**
 * Points each PgBouncer to the server that is about to take writes. It still holds its clients back, so this costs
 * them no time. What fails is told, and done again by {@link letThrough}: no host waits for what fails at another.
 */
export async function pointTo(mover: Mover, observed: Cluster): Promise<void> {
  await Promise.allSettled(
    hostsWith(mover.cluster, 'pgbouncer').map(async (host) => {
      const { host: address } = postgresOf(observed, host);
      const script = raw(`${IF_MADE}
${pointFunction(mover.cluster)}
point '${address}' || ! systemctl is-active --quiet pgbouncer || exit 1
${audit(`PgBouncer leads to ${address}`)}`);
      await urgentStep(mover, host.name, `point PgBouncer to ${address}`, script, 30);
    }),
  );
}

/**
 * Lets the clients through again, to the server that takes writes now; never to another one: PgBouncer is asked where it
 * leads before they are let go.
 */
export async function letThrough(mover: Mover, observed: Cluster): Promise<void> {
  await finishAll(
    hostsWith(mover.cluster, 'pgbouncer').map(async (host) => {
      const { host: address } = postgresOf(observed, host);
      const script = raw(`${IF_MADE}
${pointFunction(mover.cluster)}
{ pooler '' '${address}' || point '${address}'; } && pooler 0 '${address}' ${each(mover.cluster, 'RESUME')} ||
  systemctl restart pgbouncer`);
      const what = `let clients through to ${address}`;
      const said = await urgentStep(mover, host.name, what, script, 30);
      if (said !== UNMADE) mover.tell(host.name, `PgBouncer lets clients through, to ${address}`);
    }),
  );
}
