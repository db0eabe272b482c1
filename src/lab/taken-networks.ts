import { lookup } from 'node:dns/promises';
import { networkInterfaces } from 'node:os';

import { command, expectSuccess } from './command.js';
import { machineMirrors } from './machine-mirrors.js';
import { machineNameservers } from './nameservers.js';
import { parseSubnet } from './subnet.js';
import type { Subnet } from './subnet.js';

/**
 * Every IPv4 network that this machine uses: its interfaces and routes, its resolver, and what the names
 * of its package mirrors resolve to. A lab there would cut the machine off from them.
 */
export async function takenNetworks(): Promise<Subnet[]> {
  const interfaces = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .flatMap((address) =>
      address.family === 'IPv4' && address.cidr !== null ? [address.cidr] : [],
    );
  const found = [...interfaces, ...(await routes()), ...(await machineNameservers())];
  for (const host of await hostsOfInterest()) {
    // A name that does not resolve takes no address; apt will say so when it matters.
    const answers = await lookup(host, { all: true, family: 4 }).catch(() => []);
    found.push(...answers.map((answer) => answer.address));
  }
  return found.filter((text) => /^[\d./]+$/.test(text)).map(parseSubnet);
}

async function routes(): Promise<string[]> {
  const answer = await expectSuccess('read the routes', command`ip -json -4 route show table all`);
  const parsed = JSON.parse(answer === '' ? '[]' : answer) as { dst: string; gateway?: string }[];
  return parsed.flatMap(({ dst, gateway }) => [
    ...(dst === 'default' ? [] : [dst]),
    ...(gateway === undefined ? [] : [gateway]),
  ]);
}

async function hostsOfInterest(): Promise<string[]> {
  const mirrors = await machineMirrors();
  if (mirrors === undefined) return [];
  return [mirrors.main, mirrors.security ?? mirrors.main].map((uri) => new URL(uri).hostname);
}
