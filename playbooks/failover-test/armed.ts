import {
  ARMED_FAULTS,
  DEAD_MAN_SECONDS,
  FAULTS,
  HEAL_UNIT,
  healCommand,
  parseArmedFaults,
} from '../../src/batch/armed-fault.js';
import { Failure } from '../../src/failure/failure.js';
import type { Host } from '../../src/inventory/cluster.js';
import { raw } from '../../src/shell/index.js';
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
  await Promise.all(
    tested.map(async ({ name }) => {
      const armed = parseArmedFaults(await hosts.run(name, ARMED_FAULTS));
      if (armed.length === 0) return;
      const left = armed.map(({ secondsLeft }) => secondsLeft);
      const atOnce = armed.map(healCommand).join('; ');
      throw new Failure({
        reason: 'refused',
        host: name,
        message: 'a failover-test that was killed has left something broken here',
        expected: 'no fault',
        found: armed.map(({ scenario }) => scenario).join(', '),
        remedy: left.includes(null)
          ? `it could not heal by itself. As root on ${name}: ${atOnce}; that says why`
          : `wait: the host heals by itself in ${Math.max(...left.map(Number))} s. At once, as root on ${name}: ${atOnce}`,
      });
    }),
  );
}
