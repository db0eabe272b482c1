import { lines, raw, type Script, sh } from '../shell/index.js';
import { aptFunctions } from './apt-script.js';
import type { Kind, Observed, Resource } from './kind.js';

/** A Debian package. */
export interface PackageResource extends Resource {
  readonly kind: 'package';
  readonly ensure: 'installed' | 'absent';
  readonly name: string;
  /** Suite to take it and what it needs from (`apt-get -t`), e.g. `sid`. */
  readonly release?: string;
}

/** An installed package, without what it merely recommends. Its version is left to apt. */
export function aptPackage(options: {
  readonly name: string;
  readonly release?: string;
}): PackageResource {
  return {
    kind: 'package',
    id: options.name,
    ensure: 'installed',
    name: options.name,
    ...(options.release !== undefined && { release: options.release }),
  };
}

/** A package that must not be installed. Its configuration files are kept (`remove`, not `purge`). */
export function absentPackage(name: string): PackageResource {
  return { kind: 'package', id: name, ensure: 'absent', name };
}

/** Debian packages: installed in one go for each suite that they come from. */
export const packageKind: Kind<PackageResource> = {
  name: 'package',
  summary: 'a Debian package, installed without recommendations, or absent',
  limit: 3600,

  // dpkg-query exits 1 when a package is not known: that is an answer.
  probe(wanted) {
    return sh`
dpkg-query -W -f '\${Package} \${db:Status-Status} \${db:Status-Eflag}\n' -- ${wanted.map((w) => w.name)} 2>/dev/null ||
  [ $? -eq 1 ]`;
  },

  parse(output, wanted) {
    const states = new Map<string, Observed>();
    for (const line of output.split('\n')) {
      const [name = '', status = '', flag = ''] = line.split(' ');
      if (states.get(name) === undefined || status === 'installed') {
        states.set(name, observed(status, flag));
      }
    }
    return new Map(wanted.map((w) => [w.id, states.get(w.name) ?? 'absent']));
  },

  want({ ensure }) {
    return ensure === 'absent' ? 'absent' : { status: 'installed' };
  },

  apply(change) {
    return makeSo([change.resource]);
  },

  applyTogether(changes) {
    return makeSo(changes.map((c) => c.resource));
  },
};

/** dpkg's words; a package of which only configuration files are left is not there. */
function observed(status: string, flag: string): Observed {
  if (status === 'not-installed' || status === 'config-files') return 'absent';
  return { status: flag === 'reinstreq' ? 'reinst-required' : status };
}

function makeSo(packages: readonly PackageResource[]): Script {
  const unwanted = packages.filter((p) => p.ensure === 'absent').map((p) => p.name);
  const wanted = packages.filter((p) => p.ensure === 'installed');
  const releases = [...new Set(wanted.map((p) => p.release))];
  const installs = releases.map((release) => {
    const names = wanted.filter((p) => p.release === release).map((p) => p.name);
    return release === undefined
      ? sh`install_or_update -- ${names}`
      : sh`install_or_update -t ${release} -- ${names}`;
  });
  return lines([
    aptFunctions(),
    raw('wait_for_lock\nrepair_dpkg'),
    ...(unwanted.length > 0
      ? [sh`apt_get remove -- ${unwanted} || fail 'apt-get remove failed'`]
      : []),
    ...(installs.length > 0 ? [raw('update_if_needed')] : []),
    ...installs,
  ]);
}
