import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { floorScript } from './floor-scripts.js';
import type { BenchCluster } from './hosts.js';
import { ROOT } from './paths.js';

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
 * Asks the compiled tool what it would look at on each host and finds each of that in the host's script: by
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

/** The product is compiled apart from the bench: it is loaded at run time, with the shapes named here. */
async function load(module: string): Promise<Readonly<Record<string, unknown>>> {
  const url = pathToFileURL(join(ROOT, 'dist', module)).href;
  return (await import(url)) as Readonly<Record<string, unknown>>;
}

type Call = (...args: unknown[]) => unknown;

async function resourcesByHost(
  file: string,
): Promise<ReadonlyMap<string, readonly ToolResource[]>> {
  const inventory = await load('src/cli/load-inventory.js');
  const roles = await load('roles/index.js');
  const { collect, resourcesOf } = (await load('src/plan/collect.js')) as Record<string, Call>;
  const { siteOf } = (await load('src/role/site.js')) as Record<string, Call>;
  const { assumedFacts } = (await load('src/facts/host-facts.js')) as Record<string, Call>;
  const { readTemplates } = (await load('src/template/package-files.js')) as Record<string, Call>;
  const { openSecrets } = (await load('src/secrets/index.js')) as Record<string, Call>;
  const { readState } = (await load('src/state/cluster-state.js')) as Record<string, Call>;
  const cluster = (inventory['loadSoundCluster'] as Call)(file, true) as {
    readonly hosts: readonly { readonly name: string }[];
  };
  const secrets = (await openSecrets?.(file, { dryRun: true })) as { get: Call };
  const { facts } = readState?.(file) as { readonly facts: Readonly<Record<string, unknown>> };
  const around = {
    cluster,
    secret: (name: string) => secrets.get(name),
    templates: readTemplates?.(),
    given: new Map(),
    factsOf: (host: { readonly name: string }) => assumedFacts?.(host, facts[host.name]),
  };
  return new Map(
    cluster.hosts.map((host) => {
      const declaration = collect?.(roles['ROLE_DEFINITIONS'], siteOf?.(host, around));
      return [host.name, resourcesOf?.(declaration) as readonly ToolResource[]];
    }),
  );
}
