import type { Host } from '../../src/inventory/cluster.js';

/** What only somebody beside a machine can do to it, and undo: no SSH reaches it meanwhile. */
export type MachineFault = 'power-cut' | 'cable-cut' | 'frozen';

/** Machines that can be broken from outside, as those of a lab. */
export interface Machines {
  /** @throws Failure refused, where one is broken by a test that still runs, or was killed */
  readonly refuseBroken: () => Promise<void>;
  /** Arms what heals it without this program, then breaks it. @throws Failure when it could not */
  readonly breakMachine: (host: Host, fault: MachineFault) => Promise<void>;
  /**
   * Right whether it was broken or not; until its SSH port answers.
   * @throws Failure when it could not; what heals it without this program stays armed then
   */
  readonly healMachine: (host: Host) => Promise<void>;
}

/** What is done, for people. */
export const MACHINE_FAULTS: Readonly<Record<MachineFault, string>> = {
  'power-cut': 'loses its power',
  'cable-cut': 'loses its network cable',
  frozen: 'stands still, all of it',
};
