import { raw, type Script } from '../shell/index.js';

/** Seconds after which a host heals by itself, whatever became of the program that broke it. */
export const DEAD_MAN_SECONDS = 180;

/** A file for each fault that is armed on a host, with its scenario's name: shell text that heals. */
export const FAULTS = '/run/odoo-prov/failover-test';
/** The timers that run those files: transient units of systemd. */
export const HEAL_UNIT = 'odoo-prov-heal';

/** What a failover-test has broken on a host and not healed yet. */
export interface ArmedFault {
  readonly scenario: string;
  /** Until its timer heals it; null where the timer is gone and the file is not: it could not heal. */
  readonly secondsLeft: number | null;
}

/** Prints a line for each fault that is armed. Changes nothing. */
export const ARMED_FAULTS: Script = raw(`for file in ${FAULTS}/*; do
  armed=$(stat -c %Y "$file" 2>/dev/null) || continue
  scenario=\${file##*/}
  if systemctl is-active --quiet "${HEAL_UNIT}-$scenario.timer"; then
    echo "armed $scenario $((armed + ${DEAD_MAN_SECONDS} - $(date +%s)))"
  elif [ -e "$file" ]; then
    echo "armed $scenario none"
  fi
done`);

/** Reads what {@link ARMED_FAULTS} printed, among other lines. */
export function parseArmedFaults(text: string): readonly ArmedFault[] {
  return [...text.matchAll(/^armed ([a-z-]+) (-?\d+|none)$/gm)].map(
    ([, scenario = '', left = '']) => ({
      scenario,
      secondsLeft: left === 'none' ? null : Math.max(1, Number(left)),
    }),
  );
}

/**
 * When a host is well again, and how at once.
 * @param armed what is broken there; at least one
 */
export function healText(host: string, armed: readonly ArmedFault[]): string {
  const left = armed.map(({ secondsLeft }) => secondsLeft);
  const atOnce = `s root on ${host}: ${armed.map(healCommand).join('; ')}`;
  return left.includes(null)
    ? `it could not heal by itself. A${atOnce}; that says why`
    : `it heals by itself in ${String(Math.max(...left.map(Number)))} s. At once, a${atOnce}`;
}

/** The command, for root on the host, that heals at once; it stops the timer as well. */
export function healCommand({ scenario }: ArmedFault): string {
  return `sh ${FAULTS}/${scenario}`;
}
