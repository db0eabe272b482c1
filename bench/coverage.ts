import { ROLE_DEFINITIONS } from '../roles/index.js';
import { loadSoundCluster } from '../src/cli/load-inventory.js';
import { assumedFacts } from '../src/facts/host-facts.js';
import type { Host } from '../src/inventory/index.js';
import { collect, resourcesOf } from '../src/plan/collect.js';
import { siteOf } from '../src/role/site.js';
import { openSecrets } from '../src/secrets/index.js';
import { readState } from '../src/state/cluster-state.js';
import { readTemplates } from '../src/template/package-files.js';
import { floorScript } from './floor-scripts.js';
import type { BenchCluster } from './hosts.js';

/** How much of what the tool looks at the hand-written scripts look at, too. */
export interface Coverage {
  readonly all: number;
  /** `host kind:id` of what they leave out. */
  readonly missing: readonly string[];
}

interface ToolResource {
  readonly kind: string;
  readonly id: string;
}

/**
 * Asks the tool's code what it would look at on each host and finds each of that in the host's script: by
 * name, or by a comment `covers KIND:ID` where a check of ours stands for it. So the floor cannot quietly
 * become cheaper than the tool when roles grow.
 */
export async function coverageOf(cluster: BenchCluster): Promise<Coverage> {
  const wanted = await resourcesByHost(cluster.file);
  let all = 0;
  const missing: string[] = [];
  for (const host of cluster.hosts) {
    const words = new Set(floorScript(cluster, host).split(/[\s"]+/));
    for (const { kind, id } of wanted.get(host.name) ?? []) {
      all += 1;
      if (!words.has(id) && !words.has(`${kind}:${id}`)) missing.push(`${host.name} ${kind}:${id}`);
    }
  }
  return { all, missing };
}

async function resourcesByHost(
  file: string,
): Promise<ReadonlyMap<string, readonly ToolResource[]>> {
  const cluster = loadSoundCluster(file, true);
  const secrets = await openSecrets(file, { dryRun: true });
  const { facts } = readState(file);
  const around = {
    cluster,
    written: cluster,
    secret: (name: string) => secrets.get(name),
    templates: readTemplates(),
    given: new Map(),
    factsOf: (host: Host) => assumedFacts(host, facts[host.name]),
  };
  return new Map(
    cluster.hosts.map((host) => [
      host.name,
      resourcesOf(collect(ROLE_DEFINITIONS, siteOf(host, around))),
    ]),
  );
}
