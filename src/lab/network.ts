import { command, expectSuccess } from './command.js';
import { exists } from './files.js';
import { raiseMachineSettings, restoreMachineSettings } from './machine-settings.js';
import type { LabState } from './state.js';

/** All bridges of labs begin with it. */
export const BRIDGE_PREFIX = 'oplab';

/** Whether this machine has a network link of that name. */
export async function linkExists(link: string): Promise<boolean> {
  return exists(`/sys/class/net/${link}`);
}

/** The nft rules of a lab, in a table of its own: hosts reach the outside under the machine's address. */
export function renderNftTable(lab: Pick<LabState, 'bridge' | 'subnet'>): string {
  return [
    `table ip ${lab.bridge}`,
    `delete table ip ${lab.bridge}`,
    `table ip ${lab.bridge} {`,
    '  chain postrouting {',
    '    type nat hook postrouting priority srcnat; policy accept;',
    `    ip saddr ${lab.subnet} ip daddr != ${lab.subnet} masquerade`,
    '  }',
    '}',
    '',
  ].join('\n');
}

/** Makes the lab's bridge and masquerading, with the kernel settings that labs need. Idempotent. */
export async function ensureNetwork(lab: LabState): Promise<void> {
  const { bridge } = lab;
  if (!(await linkExists(bridge))) {
    await expectSuccess('make the lab’s bridge', command`ip link add ${bridge} type bridge`);
  }
  const address = `${lab.gateway}/${lab.subnet.split('/')[1] ?? '32'}`;
  await expectSuccess(
    'give the bridge its address',
    command`ip address replace ${address} dev ${bridge}`,
  );
  await expectSuccess('switch the bridge on', command`ip link set ${bridge} up`);
  await expectSuccess(
    'masquerade the lab’s network',
    command({ input: renderNftTable(lab) })`nft -f -`,
    'see whether the kernel has nf_tables: nft list tables',
  );
  await raiseMachineSettings();
}

/** Removes what ensureNetwork made; the machine's settings go back to what they were with the last lab. */
export async function removeNetwork(lab: LabState): Promise<void> {
  const { bridge } = lab;
  for (const link of await linksOf(bridge)) await removeLink(link);
  await removeLink(bridge);
  const tables = await expectSuccess('list the nft tables', command`nft list tables`);
  if (tables.split('\n').includes(`table ip ${bridge}`)) {
    await expectSuccess('remove the lab’s nft table', command`nft delete table ip ${bridge}`);
  }
  if ((await linksOf()).length === 0) await restoreMachineSettings();
}

/** Removes a network link, if it is there. */
export async function removeLink(link: string): Promise<void> {
  if (!(await linkExists(link))) return;
  const result = await command`ip link delete ${link}`;
  // The kernel removes a dead host's link by itself, perhaps just now.
  if (result.exitCode !== 0 && (await linkExists(link))) {
    await expectSuccess(`remove the link ${link}`, command`ip link delete ${link}`);
  }
}

/** Cuts or heals a host's link as if its cable was pulled. */
export async function setLink(link: string, up: boolean): Promise<void> {
  await expectSuccess(
    `switch the link ${link}`,
    command`ip link set ${link} ${up ? 'up' : 'down'}`,
  );
}

/** The links of one lab's hosts, or the bridges of all labs. */
async function linksOf(bridge?: string): Promise<string[]> {
  const text = await expectSuccess('list the links', command`ip -json link show`);
  const names = (JSON.parse(text) as { ifname: string }[]).map((link) => link.ifname);
  if (bridge === undefined) return names.filter((name) => name.startsWith(BRIDGE_PREFIX));
  return names.filter((name) => name.startsWith(`vb-${bridge}-`));
}
