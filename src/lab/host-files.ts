import type { HostState, LabState } from './state.js';

/** The port of the lab's package cache, on the machine's address of the bridge. */
export const PACKAGE_CACHE_PORT = 3142;

/** networkd's file for the host's only interface. */
export function renderNetwork(lab: Pick<LabState, 'subnet' | 'gateway'>, address: string): string {
  const prefix = lab.subnet.split('/')[1] ?? '32';
  return [
    '# Made by the odoo-prov lab, anew at every start.',
    '[Match]',
    'Name=host0',
    '',
    '[Network]',
    `Address=${address}/${prefix}`,
    `Gateway=${lab.gateway}`,
    'LinkLocalAddressing=no',
    'IPv6AcceptRA=no',
    'DHCP=no',
    '',
  ].join('\n');
}

/** resolv.conf with the machine's own name servers. */
export function renderResolver(nameservers: readonly string[]): string {
  return nameservers.map((server) => `nameserver ${server}\n`).join('');
}

/** /etc/hosts as Debian's installer leaves it: no other host is named. */
export function renderHosts(host: string): string {
  return `127.0.0.1\tlocalhost\n127.0.1.1\t${host}\n::1\tlocalhost ip6-localhost ip6-loopback\n`;
}

/**
 * apt's configuration on a lab host: packages come through the lab's cache (https sources go straight),
 * and what this machine's apt overlooks for its mirror is overlooked there too.
 */
export function renderAptConfiguration(gateway: string, machineOptions: readonly string[]): string {
  return [
    '// Made by the odoo-prov lab, anew at every start.',
    `Acquire::http::Proxy "http://${gateway}:${PACKAGE_CACHE_PORT}";`,
    'Acquire::https::Proxy "DIRECT";',
    ...machineOptions,
    '',
  ].join('\n');
}

/** The `Acquire::Check-…` lines of `apt-config dump`. */
export function checkOptionsOf(aptConfigDump: string): string[] {
  return aptConfigDump
    .split('\n')
    .filter((line) => /^Acquire::Check-(Valid-Until|Date) "[^"]*";$/.test(line));
}

/** A known_hosts line for the host's address and name. */
export function renderKnownHost(
  host: Pick<HostState, 'name' | 'address'>,
  publicKey: string,
): string {
  const [type = '', key = ''] = publicKey.trim().split(' ');
  return `${host.address},${host.name} ${type} ${key}`;
}
