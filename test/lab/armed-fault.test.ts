import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { breakHost, healHost, refuseArmed } from '../../playbooks/failover-test/armed.js';
import type { Fault } from '../../playbooks/failover-test/fault.js';
import type { Failure } from '../../src/failure/failure.js';
import type { Host } from '../../src/inventory/cluster.js';
import { strict, type Script } from '../../src/shell/index.js';
import { labShell, must, type HostShell } from '../support/host-shell.js';
import { testLab } from '../support/lab.js';

/*
 * What a fault leaves on its host until it is healed, on a bare host: the fault is a file, and what hinders the healing
 * is another one.
 */

const HOST = { name: 'h1' } as Host;
const FILE = '/run/odoo-prov/failover-test/standby-down';
const UNIT = 'odoo-prov-heal-standby-down';
const FAULT: Fault = {
  ...{ host: HOST, scenario: 'standby-down', text: 'is broken' },
  breaks: 'touch /run/broken',
  heals: '[ ! -e /run/hindered ]\nrm -f /run/broken',
};

let shell: HostShell;
const hosts = {
  run: async (_host: string, script: Script): Promise<string> =>
    (await must(shell, strict(script).render())).trim(),
};

beforeAll(async () => {
  shell = labShell(await testLab('contract-trixie', { hosts: [{ name: HOST.name }] }), HOST.name);
});
afterEach(() =>
  must(shell, `systemctl stop ${UNIT}.timer 2>/dev/null; rm -rf /run/hindered /run/broken ${FILE}`),
);

/** What is left: the fault, the file that heals, the timer. */
async function left(): Promise<readonly string[]> {
  const answer = await must(
    shell,
    `[ ! -e /run/broken ] || echo fault
[ ! -e ${FILE} ] || echo file
if systemctl is-active --quiet ${UNIT}.timer; then echo timer; fi`,
  );
  return answer.split('\n').filter((line) => line !== '');
}

/** Why another test is refused; undefined where it is not. */
async function refusal(): Promise<Failure | undefined> {
  return refuseArmed(hosts, [HOST]).then(
    () => undefined,
    (error: unknown) => error as Failure,
  );
}

describe('a fault that is armed', () => {
  it('is all gone when what the refusal says was done', async () => {
    await breakHost(hosts, FAULT);
    expect(await left()).toEqual(['fault', 'file', 'timer']);
    await must(shell, 'sleep 2');
    const { message, details } = (await refusal()) ?? {};
    expect(message).toContain('has left something broken here');
    const [, seconds, command = ''] =
      /in (\d+) s\. At once, as root on h1: (.*)$/.exec(details?.remedy ?? '') ?? [];
    expect(Number(seconds)).toBeGreaterThan(120);
    expect(Number(seconds)).toBeLessThan(180);
    await must(shell, command);
    expect(await left()).toEqual([]);
    expect(await refusal()).toBeUndefined();
  });

  it('leaves nothing either where its timer has healed it', async () => {
    await breakHost(hosts, FAULT);
    // What the timer starts, sooner than it would.
    await must(
      shell,
      `systemctl start ${UNIT}.service; for i in $(seq 100); do [ -e ${FILE} ] || exit 0; sleep 0.1; done; exit 1`,
    );
    expect(await left()).toEqual([]);
  });

  it('keeps timer and file where it cannot be healed, and says so where its timer could not', async () => {
    await breakHost(hosts, FAULT);
    await must(shell, 'touch /run/hindered');
    await expect(healHost(hosts, FAULT)).rejects.toThrow();
    expect(await left()).toEqual(['fault', 'file', 'timer']);
    await must(shell, `systemctl stop ${UNIT}.timer`);
    expect((await refusal())?.details.remedy).toBe(
      `run this again when it is healed: it could not heal by itself. As root on h1: sh ${FILE}; that says why`,
    );
    await must(shell, 'rm /run/hindered');
    await healHost(hosts, FAULT);
    expect(await left()).toEqual([]);
  });
});
