import { describe, expect, it } from 'vitest';
import { observeDatabases, observePrimary } from '../../playbooks/observe.js';
import type { Procedure } from '../../playbooks/procedure.js';
import type { Host } from '../../src/inventory/cluster.js';
import { testCluster, testHost } from '../support/site.js';

const cluster = testCluster([
  testHost('db1', 1, ['pg-primary']),
  testHost('db2', 2, ['pg-standby']),
]);

/** Hosts that print this. */
function asked(answers: Readonly<Record<string, string>>): Procedure {
  const ask = ({ name }: Host): Promise<string> => Promise.resolve(answers[name] ?? '');
  return { ask } as unknown as Procedure;
}

function data(timeline: number, standby: 'yes' | 'no'): string {
  return `/var/lib/postgresql/17/main\t7\t${String(timeline)}\t${standby}\tshut down\tstopped\n`;
}

describe('who is primary, for a backup', () => {
  it('is the host that holds a primary’s data, whatever the inventory says', async () => {
    const hosts = asked({ db1: data(2, 'yes'), db2: data(2, 'no') });
    expect((await observePrimary(hosts, cluster)).primary.name).toBe('db2');
  });

  it('is nobody where a standby is beyond that data: only a restore, which replaces it, goes on', async () => {
    const hosts = asked({ db1: data(1, 'no'), db2: data(2, 'yes') });
    await expect(observePrimary(hosts, cluster)).rejects.toThrow(
      'no database host holds the data of the last primary',
    );
    expect(await observeDatabases(hosts, cluster)).toMatchObject({ withoutPrimary: true });
  });

  it('is not asked while a restore has not come to its end', async () => {
    const hosts = asked({ db1: `${data(1, 'no')}restoring --latest\n`, db2: '' });
    await expect(observePrimary(hosts, cluster)).rejects.toMatchObject({
      details: {
        remedy: expect.stringContaining('odoo-prov restore FILE --latest again') as string,
      },
    });
  });
});
