import { hostsWith, type Cluster, type Host } from '../../../src/inventory/cluster.js';
import { HTTP_PORT, majorVersion, unitName } from '../../../src/odoo/layout.js';
import { raw } from '../../../src/shell/index.js';
import type { Hosts } from '../hosts.js';
import type { RunnableScenario } from '../trial.js';

/** Seconds for a host's new workers to come and its old ones to finish what they are at. */
const RELOAD_SECONDS = 120;

/**
 * Odoo's HTTP service on every app host is replaced by a new one, host after host, while users work. By SIGHUP:
 * Odoo 19 then starts its successor on the same listening socket, and lets the old workers finish their requests when
 * the new ones are there. A restart by systemd closes the socket first: the requests that wait in it are lost, and
 * nginx sends no POST a second time.
 */
export const rollingRestart: RunnableScenario = {
  name: 'rolling-restart',
  title: "every app host's Odoo is replaced by a new one, host after host",
  onRequest: false,
  recoversFrom: 'fault',
  promotions: 0,
  needsOdoo: true,
  failedRequests: 0,
  lacks,
  expects: () => ({
    kind: 'survives',
    why: 'Odoo 19 hands its listening socket on to the new process (SIGHUP)',
  }),
  expectsWrites: () => ({ kind: 'survives', why: 'the database is not touched' }),
  run: async (trial) => {
    for (const host of hostsWith(trial.cluster, 'app')) {
      trial.mark('fault', host.name, 'Odoo hands over to a new process (SIGHUP)');
      await handOver(trial.hosts, host);
      trial.mark('step', host.name, 'serves with new workers, the old ones are gone');
      await trial.wait();
    }
  },
};

function lacks(cluster: Cluster): string | undefined {
  if (hostsWith(cluster, 'app').length === 0) return 'no host has the role app';
  return majorVersion(cluster.odoo.version) < 19
    ? `Odoo ${cluster.odoo.version} closes its socket when it restarts: only 19 and newer hand it on`
    : undefined;
}

/** @throws Failure when the old workers do not go, or the new ones do not serve, in time */
async function handOver(hosts: Hosts, host: Host): Promise<void> {
  const unit = unitName('app');
  await hosts.run(
    host.name,
    raw(`pid=$(systemctl show -P MainPID ${unit})
# Its children: the workers, and its own evented server.
old=$(grep -l "^PPid:[[:space:]]*$pid$" /proc/[0-9]*/status 2>/dev/null | cut -d / -f 3)
systemctl kill --signal=HUP --kill-who=main ${unit}
end=$(($(date +%s) + ${RELOAD_SECONDS}))
while [ "$(date +%s)" -lt "$end" ]; do
  left=
  for one in $old; do if [ -d "/proc/$one" ]; then left="$left $one"; fi; done
  if [ -z "$left" ] && [ "$(curl -s -o /dev/null -m 4 -w '%{http_code}' http://127.0.0.1:${HTTP_PORT}/web/health)" = 200 ]; then
    exit 0
  fi
  sleep 0.5
done
echo "old workers that are still there:$left"
exit 1`),
    RELOAD_SECONDS + 30,
  );
}
