import type { RunnableScenario } from '../trial.js';
import { archiveUnreachable } from './archive-unreachable.js';
import { pgbouncerDown } from './pgbouncer-down.js';
import { primaryCutOff } from './primary-cut-off.js';
import { primaryFrozen } from './primary-frozen.js';
import { primaryKilled } from './primary-killed.js';
import { replicaDown } from './replica-down.js';
import { standbyDown } from './standby-down.js';
import { switchover } from './switchover.js';

/** All scenarios, in the order in which they are run: what is harmless comes first. */
export const SCENARIOS: readonly RunnableScenario[] = [
  replicaDown,
  standbyDown,
  archiveUnreachable,
  pgbouncerDown,
  primaryKilled,
  primaryFrozen,
  switchover,
  primaryCutOff,
];
