import {
  ARMED_FAULTS,
  DEAD_MAN_SECONDS,
  FAULTS,
  HEAL_UNIT,
  parseArmedFaults,
} from '../../src/batch/armed-fault.js';
import type { Host } from '../../src/inventory/cluster.js';
import { raw } from '../../src/shell/index.js';
import { refuseLeftFaults } from '../primary/left-fault.js';
import type { Fault } from './fault.js';
import type { Hosts } from './hosts.js';

type Runs = Pick<Hosts, 'run'>;

/**
 * Arms the timer that heals, then breaks. The timer is systemd's, on the host: it needs neither this program
 * nor its connection. Whoever runs the file that heals, the timer too, has nothing else to do: it removes itself and stops
 * the timer. Where it cannot heal, both stay.
 * @throws Failure when it could not be armed (nothing is broken then), or not be broken
 */
export async function breakHost(hosts: Runs, fault: Fault): Promise<void> {
  const unit = `${HEAL_UNIT}-${fault.scenario}`;
  const file = `${FAULTS}/${fault.scenario}`;
  const script = raw(`mkdir -p -m 0700 ${FAULTS}
cat >${file} <<'HEAL'
set -e
${fault.heals}
rm -f ${file}
systemctl stop ${unit}.timer 2>/dev/null || :
HEAL
systemctl stop ${unit}.timer 2>/dev/null || :
systemctl reset-failed ${unit}.service 2>/dev/null || :
systemd-run --quiet --collect --unit=${unit} --on-active=${DEAD_MAN_SECONDS} --timer-property=AccuracySec=1s \\
  /bin/sh ${file} || { rm -f ${file}; exit 1; }
systemctl is-active --quiet ${unit}.timer
${fault.breaks}`);
  await hosts.run(fault.host.name, script, 60);
}

/** Puts a host right, and takes the timer back. @throws Failure when it could not; the timer stays then */
export async function healHost(hosts: Runs, fault: Fault): Promise<void> {
  const file = `${FAULTS}/${fault.scenario}`;
  await hosts.run(fault.host.name, raw(`if [ -e ${file} ]; then sh ${file}; fi`), 90);
}

/** @throws Failure refused, where a fault is armed: a test was killed, and its host heals by itself soon */
export async function refuseArmed(hosts: Runs, tested: readonly Host[]): Promise<void> {
  const asked = tested.map(
    async ({ name }) => [name, parseArmedFaults(await hosts.run(name, ARMED_FAULTS))] as const,
  );
  refuseLeftFaults(new Map(await Promise.all(asked)));
}
