import { finishAll } from '../../src/concurrency/finish-all.js';
import { hostsWith, type Cluster } from '../../src/inventory/cluster.js';
import { postgresOf } from '../../src/odoo/layout.js';
import { PGBOUNCER_CONSOLE, PGBOUNCER_DATABASES } from '../../src/odoo/pgbouncer.js';
import { raw } from '../../src/shell/index.js';
import { audit, step, type Mover } from './steps.js';

/**
 * Shell function `pooler COMMAND [WORDS]`: gives it to PgBouncer's console. An answer with those words in it is as
 * good as success: what an attempt that broke off did already is not done twice.
 */
const POOLER = `pooler() {
  answer=$(${PGBOUNCER_CONSOLE} -c "$1" 2>&1 </dev/null) && return
  if [ $# -gt 1 ]; then case $answer in *"$2"*) return ;; esac; fi
  printf '%s\\n' "$answer"
  return 1
}`;

/** The databases that PgBouncer leads to the primary. */
function pooled(cluster: Cluster): readonly string[] {
  return [cluster.odoo.database, 'postgres'];
}

/**
 * Drops all clients and servers at each PgBouncer; those that come meanwhile wait until {@link pointTo}.
 * PgBouncer 1.24.1 may crash when KILL meets a client that is logging in, and systemd would start it again, open for
 * all: then it is stopped, and clients are refused for that time.
 */
export async function cutOff(mover: Mover): Promise<void> {
  const kills = pooled(mover.cluster).map((database) => `pooler 'KILL "${database}"' paused`);
  const script = raw(`${POOLER}
if ! { ${kills.join(' && ')}; }; then
  systemctl stop --no-block pgbouncer
  systemctl kill --signal=SIGQUIT pgbouncer 2>/dev/null || :
  systemctl stop pgbouncer
  echo stopped
fi`);
  await finishAll(
    hostsWith(mover.cluster, 'pgbouncer').map(async ({ name }) => {
      const said = await step(mover, name, 'cut PgBouncer off', script, 30);
      const stopped = said.endsWith('stopped');
      mover.tell(name, `PgBouncer ${stopped ? 'is stopped' : 'holds all clients back'}`);
    }),
  );
}

/** Lets the clients through again, to the server that takes writes now. */
export async function pointTo(mover: Mover, observed: Cluster): Promise<void> {
  const resumes = pooled(mover.cluster).map(
    (database) => `pooler 'RESUME "${database}"' 'not paused'`,
  );
  await finishAll(
    hostsWith(mover.cluster, 'pgbouncer').map(async (host) => {
      const { host: address } = postgresOf(observed, host);
      const script = raw(`set -eu
${POOLER}
file=${PGBOUNCER_DATABASES}
cp -p "$file" "$file.new"
sed -E 's/ host=[^ ]+/ host=${address}/' "$file" >"$file.new"
sync "$file.new"
mv -f "$file.new" "$file"
${audit(`PgBouncer leads to ${address}`)}
if ! systemctl is-active --quiet pgbouncer || ! { pooler RELOAD && ${resumes.join(' && ')}; }; then
  systemctl restart pgbouncer
fi`);
      await step(mover, host.name, `point PgBouncer to ${address}`, script, 30);
      mover.tell(host.name, `PgBouncer lets clients through, to ${address}`);
    }),
  );
}
