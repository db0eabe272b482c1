import { filestoreSource } from '../../../src/filestore/layout.js';
import { filestoreHosts } from '../../../src/odoo/layout.js';
import { filestoreHidden } from '../fault.js';
import type { RunnableScenario } from '../trial.js';

/** Seconds for which it stays away. */
const DOWN_SECONDS = 8;

/** No host reaches the attachments for a while. Whoever needs one is told so, and nothing is said to be saved that is not. */
export const filestoreDown: RunnableScenario = {
  name: 'filestore-down',
  title: 'no host reaches the filestore for a while',
  onRequest: false,
  recoversFrom: 'heal',
  promotions: 0,
  needsOdoo: true,
  lacks: () => undefined,
  expects: () => ({ kind: 'outage', why: 'there is one filestore: attachments wait for it' }),
  expectsWrites: () => ({ kind: 'survives', why: 'the database is not touched' }),
  run: async (trial) => {
    const { cluster } = trial;
    const source = filestoreSource(cluster)?.name;
    for (const host of filestoreHosts(cluster)) {
      await trial.fault(filestoreHidden(host, cluster, host.name === source));
    }
    await trial.wait(DOWN_SECONDS);
    await trial.heal();
  },
};
