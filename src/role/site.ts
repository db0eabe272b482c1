import type { Cluster, Host } from '../inventory/cluster.js';
import type { Secret } from '../shell/index.js';
import { renderTemplate } from '../template/render.js';
import type { Facts, Site } from './role.js';

/** What all sites of a run share. */
export interface SiteSources {
  /** As it is now. */
  readonly cluster: Cluster;
  /** As the operator wrote it. */
  readonly written: Cluster;
  /** Of the PostgreSQL cluster. */
  readonly systemIdentifier?: string;
  readonly factsOf: (host: Host) => Facts;
  readonly secret: (name: string) => Secret;
  /** Files below `templates/`, by relative path. */
  readonly templates: ReadonlyMap<string, string>;
  /** Files that the inventory names, by absolute path. */
  readonly given: ReadonlyMap<string, string>;
}

/** One host's view of the cluster: what its roles are computed from. */
export function siteOf(host: Host, sources: SiteSources): Site {
  const asset = (name: string): string => {
    const text = sources.templates.get(name);
    if (text === undefined) throw new Error(`there is no templates/${name}`);
    return text;
  };
  return {
    cluster: sources.cluster,
    written: sources.written,
    ...(sources.systemIdentifier !== undefined && { systemIdentifier: sources.systemIdentifier }),
    host,
    facts: sources.factsOf(host),
    factsOf: sources.factsOf,
    secret: sources.secret,
    asset,
    template: (name, data) => renderTemplate(asset(name), data),
    given: (path) => {
      const text = sources.given.get(path);
      if (text === undefined) throw new Error(`${path} was not read`);
      return text;
    },
  };
}
