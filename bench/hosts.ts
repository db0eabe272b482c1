import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

/** What the floors must know of a host of the lab. */
export interface BenchHost {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly user: string;
  readonly key: string;
  readonly hostKeys: readonly string[];
  readonly roles: readonly string[];
}

export interface BenchCluster {
  readonly file: string;
  readonly name: string;
  readonly domain: string;
  readonly hosts: readonly BenchHost[];
}

/** The parts of a lab's inventory that are read here. `odoo-prov lab up` writes each of them. */
interface LabInventory {
  readonly cluster: string;
  readonly ssh: { readonly user: string; readonly key: string; readonly known_hosts: string };
  readonly odoo: { readonly domain: string };
  readonly hosts: Readonly<
    Record<string, { address: string; ssh: { port: number }; roles: readonly string[] }>
  >;
}

/** Reads the inventory that `odoo-prov lab up` wrote for the lab of a full cluster. */
export function readHosts(file: string): BenchCluster {
  const { cluster, ssh, odoo, hosts } = parse(readFileSync(file, 'utf8')) as LabInventory;
  const known = readFileSync(ssh.known_hosts, 'utf8');
  return {
    file,
    name: cluster,
    domain: odoo.domain,
    hosts: Object.entries(hosts).map(([name, { address, ssh: own, roles }]) => ({
      name,
      address,
      port: own.port,
      user: ssh.user,
      key: ssh.key,
      hostKeys: hostKeysOf(known, address),
      roles,
    })),
  };
}

/** The keys of an address on port 22 in known_hosts: `address type key`. */
function hostKeysOf(known: string, address: string): readonly string[] {
  return known
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([names = '']) => names.split(',').includes(address))
    .flatMap(([, , key]) => key ?? []);
}
