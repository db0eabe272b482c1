import { labFailure } from './lab-failure.js';

/** A folder of the machine that a lab host sees. */
export interface LabBind {
  /** Absolute, or a plain name: then a folder of the lab's own, shared by all hosts that name it. */
  readonly source: string;
  /** Absolute path on the host. */
  readonly target: string;
  readonly readOnly?: boolean;
}

export interface LabHostSpec {
  readonly name: string;
  /** Without it, host N of the list gets the Nth address of the lab's subnet. */
  readonly address?: string;
  /** Such as `4G`. Limits the host where the machine has the cgroup v2 memory controller. */
  readonly memory?: string;
  readonly cores?: number;
  readonly binds?: readonly LabBind[];
}

export type Release = 'trixie' | 'bookworm';

/** What `labUp` makes true. */
export interface LabSpec {
  readonly name: string;
  readonly hosts: readonly LabHostSpec[];
  /** Debian release of the hosts; not given: as the lab has it, trixie if it is new. */
  readonly release?: Release;
}

/** A lab host as the rest of the program sees it: an address with an SSH port. */
export interface LabHost {
  readonly name: string;
  readonly address: string;
  readonly port: number;
}

/** A lab that is up. */
export interface Lab {
  readonly name: string;
  /** Everything about this lab, its logs among it. */
  readonly directory: string;
  /** Path of the private key that root's `authorized_keys` on every host has. */
  readonly key: string;
  /** Path of the host keys, for strict checking. */
  readonly knownHosts: string;
  /** Such as `198.51.100.0/27`. */
  readonly subnet: string;
  /** The machine's own address on the lab's bridge. */
  readonly gateway: string;
  /** Addresses of the subnet that no host has: for a VIP. The highest first. */
  readonly freeAddresses: readonly string[];
  readonly hosts: readonly LabHost[];
}

const NAME = /^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/;

/**
 * Refuses names that could not be a host name or a folder, doubled hosts, and binds that are not paths.
 * @throws Failure lab
 */
export function checkSpec(spec: LabSpec): void {
  checkName('lab', spec.name);
  const seen = new Set<string>();
  for (const host of spec.hosts) {
    checkName('host', host.name);
    if (seen.has(host.name)) {
      throw labFailure(`the lab has two hosts named ${host.name}`, {
        remedy: 'give each host a name of its own',
      });
    }
    seen.add(host.name);
    host.binds?.forEach((bind) => checkBind(host.name, bind));
  }
}

/**
 * Refuses a name that is not letters a-z, digits and inner hyphens.
 * @throws Failure lab
 */
export function checkName(what: 'lab' | 'host' | 'snapshot', name: string): void {
  if (NAME.test(name)) return;
  throw labFailure(`the ${what} name ${JSON.stringify(name)} cannot be used`, {
    expected: 'a-z, 0-9 and hyphens inside, at most 40 characters',
    found: JSON.stringify(name),
    remedy: `rename the ${what}`,
  });
}

function checkBind(host: string, bind: LabBind): void {
  if (bind.target.startsWith('/') && (bind.source.startsWith('/') || NAME.test(bind.source)))
    return;
  throw labFailure('a bind is not usable', {
    host,
    expected: 'source: an absolute path or a plain name; target: an absolute path',
    found: `${bind.source} → ${bind.target}`,
    remedy: 'correct the bind of this host',
  });
}
