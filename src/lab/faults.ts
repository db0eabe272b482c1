import { detectCgroups, hostGroup, setFrozen } from './cgroup.js';
import { powerOffHost, startHost, waitForSsh } from './host-process.js';
import { setLink } from './network.js';
import type { Lab } from './spec.js';
import { linkName } from './start-script.js';
import { requireHost, requireState } from './state.js';
import type { HostState, LabState } from './state.js';

/** Any lab by its name. */
type Named = Pick<Lab, 'name'>;

async function find(lab: Named, host: string): Promise<[LabState, HostState]> {
  const state = await requireState(lab.name);
  return [state, requireHost(state, host)];
}

/** Power cut: every process is killed at once, and no peer gets a last packet. What was written stays. */
export async function powerCut(lab: Named, host: string): Promise<void> {
  await powerOffHost(...(await find(lab, host)));
}

/** Switches a host on again, or plugs it in and lets it go on where it runs; waits for its sshd. */
export async function powerOn(lab: Named, host: string): Promise<void> {
  const found = await find(lab, host);
  await startHost(...found);
  await waitForSsh(...found);
}

/** Pulls the host's network cable. A reboot of the host plugs it in again. */
export async function networkCut(lab: Named, host: string): Promise<void> {
  await setLink(linkName(...(await find(lab, host))), false);
}

/** Plugs the host's network cable in again. */
export async function networkHeal(lab: Named, host: string): Promise<void> {
  await setLink(linkName(...(await find(lab, host))), true);
}

/** Stops every process of a host; its kernel still answers ping and accepts connections. */
export async function freeze(lab: Named, host: string): Promise<void> {
  const [state, found] = await find(lab, host);
  await setFrozen(await detectCgroups(), hostGroup(state.bridge, found.name), true);
}

/** Lets a frozen host go on. */
export async function thaw(lab: Named, host: string): Promise<void> {
  const [state, found] = await find(lab, host);
  await setFrozen(await detectCgroups(), hostGroup(state.bridge, found.name), false);
}
