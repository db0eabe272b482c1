import type { Host } from '../inventory/cluster.js';
import type { Facts } from '../role/role.js';
import { sh, type Script } from '../shell/index.js';

/**
 * Memory is rounded down to this: a kernel update that keeps some more for itself must not resize, and
 * so restart, a database.
 */
const MEMORY_STEP = 256 * 1024 * 1024;

/** What is assumed of a host before it was ever asked: only the wording of the first probe hangs on it. */
const ASSUMED: Facts = {
  memory: 4 * 1024 ** 3,
  cores: 2,
  debian: 13,
  codename: 'trixie',
  container: false,
  mirror: 'http://deb.debian.org/debian',
  assumed: true,
};

/** Prints `name=value` lines. */
export function factsProbe(): Script {
  return sh`
. /etc/os-release
echo "id=$ID"
echo "debian=$VERSION_ID"
echo "codename=$VERSION_CODENAME"
echo "memory=$(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo)"
echo "cores=$(nproc)"
systemd-detect-virt --container --quiet && echo container=yes || echo container=no
echo "mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
  sed -nE 's/^URIs: *([^ ]+).*/\1/p; s/^deb (\[[^]]*\] )?([^ ]+) .*/\2/p' | grep -E '/debian/?$' | head -n 1)"`;
}

/**
 * Reads what {@link factsProbe} printed; the inventory's `memory` and `cores` win over what was found.
 * @returns undefined when the host is no Debian that we know (12 or 13)
 */
export function parseFacts(output: string, host: Host): Facts | undefined {
  const found = new Map(
    output.split('\n').map((line): [string, string] => {
      const at = line.indexOf('=');
      return [line.slice(0, at), line.slice(at + 1)];
    }),
  );
  const debian = Number(found.get('debian'));
  if (found.get('id') !== 'debian' || ![12, 13].includes(debian)) return undefined;
  return withOverrides(
    {
      memory: Math.floor((Number(found.get('memory')) * 1024) / MEMORY_STEP) * MEMORY_STEP,
      cores: Number(found.get('cores')),
      debian,
      codename: found.get('codename') ?? ASSUMED.codename,
      container: found.get('container') === 'yes',
      mirror: (found.get('mirror') ?? '').replace(/\/$/, '') || ASSUMED.mirror,
    },
    host,
  );
}

/** What to take for a host that has not answered yet: what is remembered of it, else what is usual. */
export function assumedFacts(host: Host, remembered: Facts | undefined): Facts {
  return withOverrides(remembered ?? ASSUMED, host);
}

function withOverrides(facts: Facts, host: Host): Facts {
  return { ...facts, memory: host.memory ?? facts.memory, cores: host.cores ?? facts.cores };
}
