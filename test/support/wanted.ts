import { keyOf, type Resource } from '../../src/resource/kind.js';
import type { Cluster, Host } from '../../src/inventory/cluster.js';
import type { PresentFile } from '../../src/resource/file.js';
import type { RoleDefinition } from '../../src/role/role.js';
import { reveal } from '../../src/shell/index.js';
import { testSite } from './site.js';

/** All that a role wants on a host of a test cluster, in order. */
export function wantedBy(role: RoleDefinition, cluster: Cluster, host: Host): readonly Resource[] {
  const site = testSite(cluster, host);
  return [...role.install(site), ...role.configure(site)];
}

/** The file with a path. @throws Error when there is none among them */
export function fileAt(all: readonly Resource[], path: string): PresentFile {
  const found = all.find((r) => keyOf(r) === `file:${path}`);
  if (found === undefined) throw new Error(`no file ${path}`);
  return found as PresentFile;
}

/** The content of the file with a path, a secret one too. */
export function textAt(all: readonly Resource[], path: string): string {
  return reveal(fileAt(all, path).content);
}
