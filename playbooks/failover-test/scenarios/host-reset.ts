import { raw } from '../../../src/shell/index.js';
import type { RunnableScenario } from '../trial.js';

/** Seconds for a machine to start again: firmware of real ones takes its time. */
const BOOT_SECONDS = 600;

/** Changes with every start of the system; in a container, too. */
const STARTED = raw('systemctl show -P UserspaceTimestamp');

/** The primary's host is reset, as by its reset button: nothing is written back, nobody says goodbye. */
export const hostReset: RunnableScenario = {
  name: 'host-reset',
  title: "the primary's host is reset, and starts again by itself",
  onRequest: true,
  recoversFrom: 'fault',
  promotions: 0,
  lacks: () => undefined,
  expects: () => ({
    kind: 'outage',
    why: 'one server takes the writes, and its machine starts again; nothing is promoted by itself',
  }),
  run: async (trial) => {
    const { hosts, primary } = trial;
    const before = await hosts.run(primary.name, STARTED);
    trial.mark(
      'fault',
      primary.name,
      'is reset: not one process is ended, nothing is written back',
    );
    // A moment later, for this command to have an answer.
    await hosts.run(
      primary.name,
      raw("setsid sh -c 'sleep 1; systemctl reboot --force --force' >/dev/null 2>&1 </dev/null &"),
    );
    const back = await trial.until(BOOT_SECONDS, async () => {
      const started = await hosts.reconnected(primary, STARTED);
      return started !== undefined && started !== before;
    });
    trial.check({
      id: 'host.starts-again',
      ok: back,
      text: `${primary.name} started again by itself`,
      ...(back
        ? {}
        : {
            found: `it cannot be reached after ${BOOT_SECONDS} s`,
            next: `look at ${primary.name}'s console; if it is dead: odoo-prov failover FILE`,
          }),
    });
    if (!back) return;
    trial.mark('step', primary.name, 'answers to SSH again');
    await trial.untilServed(trial.cluster.failoverTest.rto);
  },
};
