export { labDown } from './down.js';
export { freeze, networkCut, networkHeal, powerCut, powerOn, thaw } from './faults.js';
export { labList } from './list.js';
export type { LabListing } from './list.js';
export { restoreSnapshot, snapshot } from './snapshot.js';
export type { SnapshotOptions } from './snapshot.js';
export type { Lab, LabBind, LabHost, LabHostSpec, LabSpec, Release } from './spec.js';
export { labSshCommand } from './ssh-command.js';
export { labUp } from './up.js';
