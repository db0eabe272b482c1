import type { FullCluster } from './full-lab.js';
import type { ProgramEnd } from './program.js';

/**
 * Which invocation of each of our units runs on each host, by `host unit`: another one means that it was
 * started anew. Asked of systemd itself.
 */
export async function invocations(full: FullCluster): Promise<Readonly<Record<string, string>>> {
  const answers =
    await full.mustAll(`cut -d ' ' -f 2 /var/lib/odoo-prov/given | sort -u | while read -r unit
do echo "$unit $(systemctl show -P ActiveState "$unit") $(systemctl show -P InvocationID "$unit")"; done`);
  return Object.fromEntries(
    Object.entries(answers).flatMap(([host, text]) =>
      lines(text).map((line): [string, string] => {
        const [unit = '', ...state] = line.split(' ');
        return [`${host} ${unit}`, state.join(' ')];
      }),
    ),
  );
}

/** What runs as another invocation than before, or no longer, or is new. */
export function restarted(
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
): readonly string[] {
  const units = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...units].filter((unit) => before[unit] !== after[unit]).sort();
}

/** Every file that an apply may touch, with its mode, owner, size and time, and the packages. */
export async function fingerprint(full: FullCluster): Promise<Readonly<Record<string, string>>> {
  return full.mustAll(`{ find /etc /var/lib/odoo-prov /usr/lib/odoo-prov /usr/share/odoo-prov \\
  -printf '%p %y %m %U %G %s %T@ %l\\n' 2>/dev/null || :; dpkg-query -W; } | sort`);
}

/** The changes that a run planned at its first look, as `host key`. */
export function planned(end: ProgramEnd): readonly string[] {
  return end.events
    .filter(({ type, pass }) => type === 'host-planned' && pass === 1)
    .flatMap(({ host, changes }) =>
      (changes ?? []).filter((c) => !c.confirm).map((c) => `${host ?? ''} ${c.key}`),
    )
    .sort();
}

/** The changes that a run made, as `host key`. */
export function changed(end: ProgramEnd): readonly string[] {
  return end.events
    .filter(({ type }) => type === 'resource-changed')
    .map(({ host, key }) => `${host ?? ''} ${key ?? ''}`)
    .sort();
}

export function lines(text: string): readonly string[] {
  return text.split('\n').filter((line) => line !== '');
}
