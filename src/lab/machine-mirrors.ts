import { readdir } from 'node:fs/promises';
import path from 'node:path';

import { readIfThere } from './files.js';

/** Where this machine gets Debian from. */
export interface Mirrors {
  readonly main: string;
  readonly security?: string;
  readonly components: string;
}

/** One `deb` line, or one URI and suite of a deb822 source. */
export interface AptSource {
  readonly uri: string;
  readonly suite: string;
  readonly components: string;
}

/** The sources of a one-line-style file (`sources.list`). */
export function parseListFile(text: string): AptSource[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s+([^#]+)/.exec(line);
    const [, uri, suite, components] = match ?? [];
    if (uri === undefined || suite === undefined || components === undefined) return [];
    return [{ uri, suite, components: components.trim() }];
  });
}

/** The sources of a deb822-style file (`*.sources`), switched-off ones left out. */
export function parseSourcesFile(text: string): AptSource[] {
  const withoutComments = text.replaceAll(/^#.*\n?/gm, '');
  return withoutComments.split(/\n\s*\n/).flatMap((stanza) => {
    const unfolded = stanza.replaceAll(/\n[ \t]+/g, ' ');
    const field = (name: string): string =>
      new RegExp(`^${name}:[ \\t]*(.*)$`, 'im').exec(unfolded)?.[1]?.trim() ?? '';
    if (/^(no|false|0|off)$/i.test(field('Enabled'))) return [];
    if (!field('Types').split(/\s+/).includes('deb')) return [];
    const words = (name: string): string[] => field(name).split(/\s+/).filter(Boolean);
    return words('URIs').flatMap((uri) =>
      words('Suites').map((suite) => ({ uri, suite, components: field('Components') })),
    );
  });
}

/** Debian's own mirrors among the sources of a machine of this codename; undefined if there is none. */
export function debianMirrors(
  sources: readonly AptSource[],
  codename: string,
): Mirrors | undefined {
  const strip = (uri: string): string => uri.replace(/\/+$/, '');
  const main = sources.find((source) => source.suite === codename && /debian/i.test(source.uri));
  if (main === undefined) return undefined;
  const security = sources.find((source) => /^[a-z]+(-security|\/updates)$/.test(source.suite));
  return {
    main: strip(main.uri),
    ...(security === undefined ? {} : { security: strip(security.uri) }),
    components: main.components,
  };
}

/** Reads this machine's apt configuration; undefined where it is no Debian with a mirror. */
export async function machineMirrors(): Promise<Mirrors | undefined> {
  const release = await readIfThere('/etc/os-release');
  const codename = /^VERSION_CODENAME="?([a-z]+)/m.exec(release)?.[1];
  if (codename === undefined || !/^ID="?debian/m.test(release)) return undefined;
  const folder = '/etc/apt/sources.list.d';
  const names = (await readdir(folder).catch(() => [])).sort();
  const sources = parseListFile(await readIfThere('/etc/apt/sources.list'));
  for (const name of names) {
    const text = await readIfThere(path.join(folder, name));
    if (name.endsWith('.list')) sources.push(...parseListFile(text));
    if (name.endsWith('.sources')) sources.push(...parseSourcesFile(text));
  }
  return debianMirrors(sources, codename);
}
