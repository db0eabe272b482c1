import { describe, expect, it } from 'vitest';

import {
  allocateSubnet,
  assignAddresses,
  formatSubnet,
  gatewayOf,
  hostAddresses,
  overlaps,
  parseAddress,
  parseSubnet,
  subnetNumber,
} from '../../src/lab/subnet.js';

const allocate = (hosts: number, wanted: string[], taken: string[]): string =>
  formatSubnet(allocateSubnet(hosts, wanted, taken.map(parseSubnet)));

describe('a lab’s subnet', () => {
  it('is the first free /27 of the documentation range', () => {
    expect(allocate(2, [], [])).toBe('198.51.100.0/27');
    expect(allocate(2, [], ['198.51.100.0/27', '198.51.100.40'])).toBe('198.51.100.64/27');
  });

  it('comes from the benchmarking range when the documentation range is taken', () => {
    expect(allocate(2, [], ['198.51.100.0/24'])).toBe('198.18.0.0/27');
  });

  it('is larger for more hosts, with room for a VIP', () => {
    expect(allocate(27, [], [])).toBe('198.51.100.0/27');
    expect(allocate(28, [], [])).toBe('198.51.100.0/26');
  });

  it('holds the addresses that the inventory gives, even far apart', () => {
    expect(allocate(2, ['198.51.100.70', '198.51.100.71'], [])).toBe('198.51.100.64/27');
    expect(allocate(2, ['198.51.100.11', '198.51.100.201'], [])).toBe('198.51.100.0/24');
  });

  it('is refused, naming what is in the way, when the wanted addresses are taken', () => {
    expect(() => allocate(1, ['198.51.100.11'], ['198.51.100.0/24'])).toThrow(
      'no network is free for this lab',
    );
    expect(() => allocate(1, ['10.0.0.1'], [])).toThrow('no network is free');
  });

  it('has a number that no other subnet has', () => {
    const numbers = ['198.51.100.0/27', '198.51.100.224/27', '198.18.0.0/27', '198.18.0.32/27'];
    expect(numbers.map((text) => subnetNumber(parseSubnet(text)))).toEqual([0, 7, 8, 9]);
    // vb-oplab4103-29 is as long as the kernel allows.
    expect(subnetNumber(parseSubnet('198.19.255.224/27'))).toBe(4103);
  });

  it('knows overlaps and its parts', () => {
    const subnet = parseSubnet('198.51.100.32/27');
    expect(overlaps(subnet, parseSubnet('198.51.100.63'))).toBe(true);
    expect(overlaps(subnet, parseSubnet('198.51.100.64/26'))).toBe(false);
    expect(gatewayOf(subnet)).toBe('198.51.100.62');
    expect(hostAddresses(subnet)).toHaveLength(29);
    expect(() => parseAddress('198.51.100.256')).toThrow('is not an IPv4 address');
  });
});

describe('addresses of hosts', () => {
  const subnet = parseSubnet('198.51.100.0/27');
  const assign = (
    hosts: { name: string; address?: string }[],
    before: [string, string][] = [],
  ): string[] => [...assignAddresses(subnet, hosts, new Map(before)).values()].sort();

  it('are the Nth of the subnet', () => {
    expect(assign([{ name: 'a' }, { name: 'b' }])).toEqual(['198.51.100.1', '198.51.100.2']);
  });

  it('stay when a host before them goes', () => {
    const given = assignAddresses(
      subnet,
      [{ name: 'b' }, { name: 'c' }],
      new Map([['b', '198.51.100.2']]),
    );
    expect(Object.fromEntries(given)).toEqual({ b: '198.51.100.2', c: '198.51.100.1' });
  });

  it('are taken from the inventory, and others give way', () => {
    const given = assignAddresses(
      subnet,
      [{ name: 'a' }, { name: 'b', address: '198.51.100.1' }],
      new Map(),
    );
    expect(Object.fromEntries(given)).toEqual({ a: '198.51.100.2', b: '198.51.100.1' });
  });

  it('may not be outside, doubled, or too many', () => {
    expect(() => assign([{ name: 'a', address: '198.51.100.30' }])).toThrow('cannot be used');
    const twice = ['a', 'b'].map((name) => ({ name, address: '198.51.100.3' }));
    expect(() => assign(twice)).toThrow('cannot be used');
    const many = Array.from({ length: 30 }, (_, index) => ({ name: `h${index}` }));
    expect(() => assign(many)).toThrow('network is full');
  });
});
