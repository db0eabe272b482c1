import type { RunnableScenario } from '../trial.js';
import { appDown } from './app-down.js';
import { archiveUnreachable } from './archive-unreachable.js';
import { cableCut } from './cable-cut.js';
import { cronDown } from './cron-down.js';
import { edgeDown } from './edge-down.js';
import { filestoreDown } from './filestore-down.js';
import { geventDown } from './gevent-down.js';
import { hostFrozen } from './host-frozen.js';
import { hostReset } from './host-reset.js';
import { pgbouncerDown } from './pgbouncer-down.js';
import { pointInTimeRecovery } from './point-in-time-recovery.js';
import { powerCut } from './power-cut.js';
import { primaryCutOff } from './primary-cut-off.js';
import { primaryFrozen } from './primary-frozen.js';
import { primaryKilled } from './primary-killed.js';
import { redisDown } from './redis-down.js';
import { replicaDown } from './replica-down.js';
import { rollingRestart } from './rolling-restart.js';
import { standbyDown } from './standby-down.js';
import { switchover } from './switchover.js';

/** All scenarios, in the order in which they are run: what is harmless comes first. */
export const SCENARIOS: readonly RunnableScenario[] = [
  rollingRestart,
  appDown,
  cronDown,
  geventDown,
  edgeDown,
  redisDown,
  filestoreDown,
  replicaDown,
  standbyDown,
  archiveUnreachable,
  pgbouncerDown,
  primaryKilled,
  primaryFrozen,
  switchover,
  pointInTimeRecovery,
  primaryCutOff,
  hostReset,
  hostFrozen,
  cableCut,
  powerCut,
];
