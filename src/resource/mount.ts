import { sh } from '../shell/index.js';
import type { Kind, Resource, State } from './kind.js';

export interface MountResource extends Resource {
  readonly kind: 'mount';
  readonly path: string;
  readonly source: string;
  readonly fstype: string;
  readonly options: string;
}

export interface MountOptions {
  /** Mount point, absolute; made if it is missing. */
  readonly path: string;
  /** As in fstab(5): a device, `host:/export`, `tmpfs`, … */
  readonly source: string;
  readonly fstype: string;
  /** Comma-separated; `defaults` if not given. */
  readonly options?: string;
}

/** A file system that is in /etc/fstab and mounted. */
export function mount(options: MountOptions): MountResource {
  return {
    kind: 'mount',
    id: options.path,
    path: options.path,
    source: options.source,
    fstype: options.fstype,
    options: options.options ?? 'defaults',
  };
}

/** Mounts: the line in /etc/fstab field by field, and what is mounted there now. */
export const mountKind: Kind<MountResource> = {
  name: 'mount',
  summary: 'a file system in /etc/fstab, mounted',

  // Neither file makes the kernel ask a dead server.
  probe() {
    return sh`
grep -s '' /etc/fstab || [ $? -eq 1 ]
printf '\0'
cat /proc/self/mounts`;
  },

  parse(output, wanted) {
    const [fstab = '', mounted = ''] = output.split('\0');
    const boot = tableOf(entries(fstab));
    const now = tableOf(entries(mounted));
    return new Map(wanted.map((w) => [w.id, observed(w, boot.get(w.path), now.get(w.path))]));
  },

  want({ source, fstype, options }) {
    return { source, fstype, options, mounted: 'yes' };
  },

  apply({ resource, differences }) {
    const elsewhere = differences.some((d) => d.field === 'mounted' && d.have !== 'no');
    return sh`(
umask 022
line=${fstabLine(resource)} path=${resource.path}
export FIELD=${escaped(resource.path)}
temp=/etc/.fstab.odoo-prov.$$
rm -f /etc/.fstab.odoo-prov.*
trap 'rm -f "$temp"' EXIT
touch /etc/fstab
{ awk '/^[ \t]*#/ || $2 != ENVIRON["FIELD"]' /etc/fstab; printf '%s\n' "$line"; } > "$temp"
if cmp -s "$temp" /etc/fstab; then rm -f "$temp"; else
  sync "$temp"
  mv -f "$temp" /etc/fstab
fi
systemctl daemon-reload
mkdir -p -- "$path"
${elsewhere ? sh`if mountpoint -q -- "$path"; then umount -- "$path"; fi` : sh`:`}
if mountpoint -q -- "$path"; then mount -o remount -- "$path"; else mount -- "$path"; fi
)`;
  },
};

/** The first four fields of fstab(5), unescaped. */
interface Entry {
  readonly source: string;
  readonly path: string;
  readonly fstype: string;
  readonly options: string;
}

function entries(text: string): readonly Entry[] {
  return text.split('\n').flatMap((line) => {
    if (/^\s*(#|$)/.test(line)) return [];
    const [source = '', path = '', fstype = '', options = ''] = line
      .trim()
      .split(/\s+/)
      .map(unescaped);
    return [{ source, path, fstype, options }];
  });
}

/** By mount point; the last one counts, as it covers the others. */
function tableOf(all: readonly Entry[]): ReadonlyMap<string, Entry> {
  return new Map(all.map((entry) => [entry.path, entry]));
}

function observed(
  wanted: MountResource,
  boot: Entry | undefined,
  now: Entry | undefined,
): State | 'absent' {
  if (boot === undefined && now === undefined) return 'absent';
  return {
    source: boot?.source ?? 'none',
    fstype: boot?.fstype ?? 'none',
    options: boot?.options ?? 'none',
    mounted: mountedAs(wanted, now),
  };
}

/** Only a network source reads the same in fstab and in the kernel's list; `nfs` may show as `nfs4`. */
function mountedAs(wanted: MountResource, now: Entry | undefined): string {
  if (now === undefined) return 'no';
  const network = wanted.source.includes(':/');
  const bind = /(^|,)r?bind(,|$)/.test(wanted.options);
  const sameType = bind || now.fstype.startsWith(wanted.fstype);
  const sameSource = !network || now.source === wanted.source;
  return sameType && sameSource ? 'yes' : `${now.fstype} from ${now.source}`;
}

function fstabLine({ source, path, fstype, options }: MountResource): string {
  return [...[source, path, fstype, options].map(escaped), '0', '0'].join(' ');
}

/** fstab(5): spaces, tabs, newlines and backslashes as octal numbers. */
function escaped(field: string): string {
  return field.replace(/[ \t\n\\]/g, (c) => `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}`);
}

function unescaped(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(parseInt(octal, 8)),
  );
}
