import { isRunning } from './host-process.js';
import { recordedLabs, requireState } from './state.js';

/** One lab of this machine, for a list. */
export interface LabListing {
  readonly name: string;
  readonly subnet: string;
  readonly hosts: readonly { name: string; address: string; running: boolean }[];
}

/** Every lab of this machine. */
export async function labList(): Promise<LabListing[]> {
  const listings: LabListing[] = [];
  for (const name of await recordedLabs()) {
    const state = await requireState(name);
    const hosts = await Promise.all(
      state.hosts.map(async (host) => ({
        name: host.name,
        address: host.address,
        running: await isRunning(state, host),
      })),
    );
    listings.push({ name, subnet: state.subnet, hosts });
  }
  return listings;
}
