import { raw, sh, type Script } from '../shell/index.js';
import { numberOf, valuesOf } from './text.js';

/** A file system that the host's roles write to. */
export interface DiskStatus {
  /** Where it is mounted. */
  readonly mount: string;
  /** The paths that matter and lie on it. */
  readonly paths: readonly string[];
  /** Bytes. */
  readonly size: number;
  /** Bytes that others than root may still write. */
  readonly available: number;
  /** Part of it that is free, 0 to 1, as `df` counts; files (inodes) count where they are scarcer. */
  readonly free: number;
}

export interface SystemStatus {
  /** Processes that run or want to, on average of the last 1, 5 and 15 minutes. */
  readonly load: readonly number[];
  readonly cores: number;
  /** Bytes of the whole host. */
  readonly memory: number;
  /** Bytes that programs can still get without swapping. */
  readonly memoryAvailable: number;
  readonly disks: readonly DiskStatus[];
  /** Paths that gave no answer in time: a dead mount. */
  readonly hanging: readonly string[];
}

/** What our roles write to, wherever they are; what a host does not have is left out. */
const PATHS = '/var/lib/postgresql /var/lib/postgresql/*/*/pg_wal /var/lib/redis /var/log';

/** @param paths those that matter besides `/` and the usual ones */
export function systemProbe(paths: readonly string[]): Script {
  return sh`
read -r one five fifteen rest </proc/loadavg
echo "load=$one $five $fifteen"
echo "cores=$(nproc)"
sed -n 's/^MemTotal: *\([0-9]*\) kB/memory=\1/p; s/^MemAvailable: *\([0-9]*\) kB/available=\1/p' /proc/meminfo
for path in / ${raw(PATHS)} ${paths}; do
  row=$(timeout -k 1 3 df -B1 --output=size,used,avail,itotal,iavail,target "$path" 2>/dev/null)
  case $? in
    0) echo "disk $path $(printf '%s\n' "$row" | tail -n 1)" ;;
    124 | 137) echo "hangs $path" ;;
  esac
done`;
}

/** Reads what {@link systemProbe} printed. @throws Error where something is missing */
export function parseSystem(text: string): SystemStatus {
  const values = valuesOf(text);
  return {
    load: (values.get('load') ?? '').split(' ').map((part) => numberOf(part, 'the load')),
    cores: numberOf(values.get('cores'), 'the number of cores'),
    memory: numberOf(values.get('memory'), 'the memory') * 1024,
    memoryAvailable: numberOf(values.get('available'), 'the available memory') * 1024,
    disks: disksOf(text),
    hanging: [...text.matchAll(/^hangs (.*)$/gm)].map(([, path = '']) => path),
  };
}

/** One entry a mount, whatever number of paths lies on it. */
function disksOf(text: string): readonly DiskStatus[] {
  const disks = new Map<string, DiskStatus>();
  const row = /^disk (.+?) +(\d+) +(\d+) +(\d+) +(\d+|-) +(\d+|-) +(\/.*)$/gm;
  for (const [, path = '', size, used, available, files, filesLeft, mount = ''] of text.matchAll(
    row,
  )) {
    const blocks = Number(available) / Math.max(1, Number(used) + Number(available));
    // A file system that makes inodes as it needs them (btrfs) counts none.
    const inodes = Number(files) > 0 ? Number(filesLeft) / Number(files) : 1;
    disks.set(mount, {
      mount,
      paths: [...(disks.get(mount)?.paths ?? []), path],
      size: Number(size),
      available: Number(available),
      free: Math.min(blocks, inodes),
    });
  }
  return [...disks.values()];
}
