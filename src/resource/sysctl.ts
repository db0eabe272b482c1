import { lines, type Script, sh } from '../shell/index.js';
import { writeAtomically } from './atomic-write.js';
import type { Kind, Observed, Resource } from './kind.js';

export interface SysctlResource extends Resource {
  readonly kind: 'sysctl';
  /** Dotted, e.g. `net.ipv4.tcp_keepalive_time`. */
  readonly key: string;
  readonly value: string;
}

/**
 * A kernel setting, live and after a reboot. In a container that may not set it, it is reported as
 * not applicable.
 */
export function sysctl(options: {
  readonly key: string;
  readonly value: string | number;
}): SysctlResource {
  return { kind: 'sysctl', id: options.key, key: options.key, value: String(options.value) };
}

/** Kernel settings: `live` is what the kernel has, `boot` what it will be given at the next boot. */
export const sysctlKind: Kind<SysctlResource> = {
  name: 'sysctl',
  summary: 'a kernel setting, live and at boot; not applicable where a container may not set it',

  // /proc/sys must be read in one go, which the shell's own `read` does not do.
  probe(wanted) {
    return sh`
for file in ${wanted.map((w) => livePath(w.key))}; do
  if [ ! -w "$file" ] && [ -e /run/systemd/container ]; then printf '%s\0readonly\n' "$file"; fi
done
grep -sHZ '' ${wanted.flatMap((w) => [livePath(w.key), bootPath(w.key)])} || [ $? -le 2 ]`;
  },

  parse(output, wanted) {
    const found = new Map<string, string>();
    const readOnly = new Set<string>();
    for (const line of output.split('\n')) {
      const [path = '', value = ''] = line.split('\0');
      if (value === 'readonly') readOnly.add(path);
      else found.set(path, value);
    }
    return new Map(
      wanted.map(({ id, key }): [string, Observed] => {
        const live = livePath(key);
        if (readOnly.has(live)) return [id, { notApplicable: 'this container may not set it' }];
        const boot = /=(.*)/.exec(found.get(bootPath(key)) ?? '')?.[1];
        return [id, { live: plain(found.get(live) ?? 'none'), boot: plain(boot ?? 'none') }];
      }),
    );
  },

  want({ value }) {
    return { live: plain(value), boot: plain(value) };
  },

  apply({ resource: { key, value } }) {
    return lines([
      writeAtomically({
        path: bootPath(key),
        content: `${key} = ${plain(value)}\n`,
        owner: 'root',
        group: 'root',
        mode: '0644',
      }),
      setLive(key, plain(value)),
    ]);
  },
};

function setLive(key: string, value: string): Script {
  return sh`
if [ ! -e ${livePath(key)} ]; then
  printf '%s\n' ${`this kernel has no setting ${key}`} >&2
  exit 1
fi
printf '%s\n' ${value} > ${livePath(key)}`;
}

/** Dots part the names; in a name that holds dots itself they are written as slashes, see sysctl(8). */
function livePath(key: string): string {
  const slash = key.includes('/') && key.indexOf('/') < (key + '.').indexOf('.');
  const path = slash ? key : key.replace(/[./]/g, (c) => (c === '.' ? '/' : '.'));
  return `/proc/sys/${path}`;
}

function bootPath(key: string): string {
  return `/etc/sysctl.d/90-odoo-prov-${key.replaceAll('/', '.')}.conf`;
}

/** The kernel prints lists with tabs. */
function plain(value: string): string {
  return value.trim().replace(/\s+/g, ' ');
}
