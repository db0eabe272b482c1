import { Failure } from '../failure/failure.js';
import { keyOf, type Key, type Resource } from '../resource/kind.js';
import type { RoleDefinition, Site, Stage, StageName } from '../role/role.js';
import { sameValue } from './same-value.js';

/** The resources that one stage makes on one host, in order. */
export interface DeclaredStage {
  readonly stage: Stage;
  readonly resources: readonly Resource[];
}

/** Everything that one host should have. */
export interface Declaration {
  readonly host: string;
  readonly stages: readonly DeclaredStage[];
}

/**
 * Asks the roles of a host what it should have.
 * What `install` gives comes first, of all roles together; then each role's own stage. A resource wanted
 * twice with the same content is made once, where it is first named.
 * @throws Failure naming both roles when they want different contents for one resource
 */
export function collect(roles: readonly RoleDefinition[], site: Site): Declaration {
  const first = new Map<Key, { role: StageName; resource: Resource }>();
  const fresh = (role: StageName, resources: readonly Resource[]): Resource[] =>
    resources.filter((resource) => {
      const key = keyOf(resource);
      const earlier = first.get(key);
      if (earlier === undefined) {
        first.set(key, { role, resource });
        return true;
      }
      if (!sameValue(earlier.resource, resource)) throw conflict(site, key, earlier.role, role);
      return false;
    });

  const own = roles.filter((role) => role.on(site.host, site.cluster));
  const install = own.flatMap((role) => fresh(role.name, role.install(site)));
  const configure = own.map((role) => ({
    stage: role.name,
    resources: fresh(role.name, role.configure(site)),
  }));
  return { host: site.host.name, stages: [{ stage: 'install', resources: install }, ...configure] };
}

/** All resources of a declaration, in the order in which they are made. */
export function resourcesOf(declaration: Declaration): readonly Resource[] {
  return declaration.stages.flatMap((stage) => stage.resources);
}

function conflict(site: Site, key: Key, one: StageName, other: StageName): Failure {
  return new Failure({
    reason: 'inventory',
    host: site.host.name,
    resource: key,
    message: `the roles ${one} and ${other} want different contents for it`,
    expected: 'one content',
    found: `one from ${one}, another from ${other}`,
    remedy:
      'give the two roles to different hosts, or report it: roles that we ship should not clash',
  });
}
