import { SSH_PORT } from './host-process.js';
import { labPaths } from './paths.js';
import type { Lab } from './spec.js';
import type { LabState } from './state.js';
import { hostAddresses, parseSubnet } from './subnet.js';

/** A lab's record as the rest of the program sees it. */
export function describeLab(state: LabState): Lab {
  const paths = labPaths(state.name);
  const given = new Set(state.hosts.map((host) => host.address));
  const all = hostAddresses(parseSubnet(state.subnet));
  return {
    name: state.name,
    directory: paths.directory,
    key: paths.key,
    knownHosts: paths.knownHosts,
    subnet: state.subnet,
    gateway: state.gateway,
    freeAddresses: all.filter((address) => !given.has(address)).reverse(),
    hosts: state.hosts.map(({ name, address }) => ({ name, address, port: SSH_PORT })),
  };
}
