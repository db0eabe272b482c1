import { labFailure } from './lab-failure.js';

/** An IPv4 network; `base` is its first address as a number. */
export interface Subnet {
  readonly base: number;
  readonly prefix: number;
}

// The documentation range first: no real network can be meant by it. Then the benchmarking range.
const RANGES = ['198.51.100.0/24', '198.18.0.0/15'];
const SMALLEST_PREFIX = 27;
// Network, broadcast, and the machine's own address on the bridge.
const NOT_FOR_HOSTS = 3;

/**
 * The number of a dotted IPv4 address.
 * @throws Failure lab when it is not one
 */
export function parseAddress(text: string): number {
  const parts = text.split('.').map((part) => (/^\d{1,3}$/.test(part) ? Number(part) : 256));
  if (parts.length !== 4 || parts.some((part) => part > 255)) {
    throw labFailure(`${JSON.stringify(text)} is not an IPv4 address`, {
      expected: 'four numbers from 0 to 255 with dots between',
      found: text,
      remedy: 'correct the address, or leave it out: the lab then gives one',
    });
  }
  return parts.reduce((number, part) => number * 256 + part, 0);
}

/** The dotted form of an address. */
export function formatAddress(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');
}

/** `198.51.100.0/27` as a subnet; host bits are cleared, no prefix means one address. */
export function parseSubnet(text: string): Subnet {
  const [address = '', prefixText] = text.split('/');
  const prefix = prefixText === undefined ? 32 : Number(prefixText);
  const size = 2 ** (32 - prefix);
  return { base: Math.floor(parseAddress(address) / size) * size, prefix };
}

/** The subnet as text with its prefix. */
export function formatSubnet(subnet: Subnet): string {
  return `${formatAddress(subnet.base)}/${subnet.prefix}`;
}

/** How many addresses the subnet has. */
export function sizeOf(subnet: Subnet): number {
  return 2 ** (32 - subnet.prefix);
}

/** Whether the two networks share an address. */
export function overlaps(one: Subnet, other: Subnet): boolean {
  return one.base < other.base + sizeOf(other) && other.base < one.base + sizeOf(one);
}

/** The machine's address on the bridge: the last usable one, so that host N can have the Nth. */
export function gatewayOf(subnet: Subnet): string {
  return formatAddress(subnet.base + sizeOf(subnet) - 2);
}

/** Every address of the subnet that a host may have, in order. */
export function hostAddresses(subnet: Subnet): string[] {
  const count = sizeOf(subnet) - NOT_FOR_HOSTS;
  return Array.from({ length: count }, (_, index) => formatAddress(subnet.base + index + 1));
}

/**
 * The first free network that is large enough and holds every wanted address.
 * @param hosts how many hosts it must hold
 * @param wanted addresses that the inventory gives
 * @param taken what the machine or other labs use
 * @throws Failure lab when none is left
 */
export function allocateSubnet(
  hosts: number,
  wanted: readonly string[],
  taken: readonly Subnet[],
): Subnet {
  const addresses = wanted.map(parseAddress);
  // A few addresses more than hosts: a VIP needs one.
  const enough = 32 - Math.ceil(Math.log2(hosts + NOT_FOR_HOSTS + 2));
  for (const range of RANGES.map(parseSubnet)) {
    for (let prefix = Math.min(SMALLEST_PREFIX, enough); prefix >= 24; prefix--) {
      const size = 2 ** (32 - prefix);
      for (let base = range.base; base < range.base + sizeOf(range); base += size) {
        const subnet = { base, prefix };
        const fits = addresses.every((address) => isHostAddress(subnet, address));
        if (fits && !taken.some((other) => overlaps(subnet, other))) return subnet;
      }
      if (addresses.length === 0) break;
    }
  }
  throw labFailure('no network is free for this lab', {
    expected: `room for ${hosts} hosts${wanted.length > 0 ? ` with ${wanted.join(', ')}` : ''} in ${RANGES.join(' or ')}`,
    found: `in use: ${taken.map(formatSubnet).join(', ')}`,
    remedy: 'leave out the addresses in the inventory, or take down labs that are not needed',
  });
}

function isHostAddress(subnet: Subnet, address: number): boolean {
  return address > subnet.base && address < subnet.base + sizeOf(subnet) - 2;
}

/**
 * A number for the subnet, different for any two that do not overlap: bridge and table are named by it,
 * within the kernel's 15 characters.
 */
export function subnetNumber(subnet: Subnet): number {
  let before = 0;
  for (const range of RANGES.map(parseSubnet)) {
    if (overlaps(range, subnet)) {
      return before + Math.floor((subnet.base - range.base) / 2 ** (32 - SMALLEST_PREFIX));
    }
    before += sizeOf(range) / 2 ** (32 - SMALLEST_PREFIX);
  }
  throw new RangeError(`${formatSubnet(subnet)} is not a lab network`);
}

/**
 * Gives every host its address: the wanted one, else the one it had, else the Nth, else a free one.
 * @throws Failure lab when a wanted address is outside, doubled, or the subnet is full
 */
export function assignAddresses(
  subnet: Subnet,
  hosts: readonly { name: string; address?: string }[],
  before: ReadonlyMap<string, string>,
): Map<string, string> {
  const all = hostAddresses(subnet);
  const given = new Map<string, string>();
  const used = new Set<string>();
  const give = (name: string, address: string): void => {
    given.set(name, address);
    used.add(address);
  };
  for (const host of hosts) {
    if (host.address === undefined) continue;
    if (used.has(host.address) || !all.includes(host.address)) {
      throw labFailure(`the address ${host.address} cannot be used`, {
        host: host.name,
        expected: `an address of ${formatSubnet(subnet)} that no other host has`,
        found: host.address,
        remedy: 'change it or leave it out; after a change of addresses take the lab down first',
      });
    }
    give(host.name, host.address);
  }
  for (const { name } of hosts) {
    const address = before.get(name);
    if (!given.has(name) && address !== undefined && !used.has(address)) give(name, address);
  }
  hosts.forEach(({ name }, index) => {
    if (given.has(name)) return;
    const nth = all[index];
    const address = nth !== undefined && !used.has(nth) ? nth : all.find((each) => !used.has(each));
    if (address === undefined) {
      throw labFailure('the lab’s network is full', {
        host: name,
        expected: `at most ${all.length} hosts in ${formatSubnet(subnet)}`,
        found: `${hosts.length} hosts`,
        remedy: 'take the lab down and up again: it then gets a larger network',
      });
    }
    give(name, address);
  });
  return given;
}
