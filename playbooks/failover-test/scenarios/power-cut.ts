import { raw } from '../../../src/shell/index.js';
import { ONLY_IN_A_LAB } from './machine-away.js';
import { primaryLost } from './primary-lost.js';

/** Seconds for a machine to start all that it starts. */
const BOOT_SECONDS = 120;

/** The primary's power fails; when it starts again, its guard keeps PostgreSQL from starting. */
export const powerCut = primaryLost({
  name: 'power-cut',
  title: "the power of the primary's host fails: failover, rejoin, and back",
  lacks: (_, { machines }) => (machines === true ? undefined : ONLY_IN_A_LAB),
  lose: (trial) => trial.machineFault(trial.primary, 'power-cut'),
  // Before that, a server that is down has only not started yet.
  settle: async ({ hosts, primary }) => {
    await hosts.run(primary.name, raw('systemctl is-system-running --wait || :'), BOOT_SECONDS);
  },
});
