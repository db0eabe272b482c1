import { machineAway } from './machine-away.js';

/** The primary's network cable is pulled and put back: no packet, no refusal, and it does not notice. */
export const cableCut = machineAway(
  'cable-cut',
  "the network cable of the primary's host is pulled, and put back",
  'cable-cut',
);
