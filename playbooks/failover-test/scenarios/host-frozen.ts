import { machineAway } from './machine-away.js';

/** Every process of the primary's host stands still, sshd among them; its kernel still takes connections. */
export const hostFrozen = machineAway(
  'host-frozen',
  "all of the primary's host stands still, and goes on",
  'frozen',
);
