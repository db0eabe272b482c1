import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Plugin } from 'rolldown';

/** Writes `dist/third-party-notices.txt`: name, version and licence of every library that is in the bundle. */
export function thirdPartyNotices(): Plugin {
  return {
    name: 'third-party-notices',
    generateBundle(_options, bundle) {
      const modules = Object.values(bundle).flatMap((file) =>
        file.type === 'chunk' ? file.moduleIds : [],
      );
      const packages = new Set(modules.filter(isOfLibrary).map(packageFolder));
      this.emitFile({
        type: 'asset',
        fileName: 'third-party-notices.txt',
        source: [...packages].sort().map(notice).join('\n'),
      });
    },
  };
}

function isOfLibrary(module: string): boolean {
  return /^\/.*\/node_modules\//.test(module);
}

/** The folder of the package that a module belongs to: the nearest package.json that has a name. */
function packageFolder(module: string): string {
  for (let at = dirname(module); at !== dirname(at); at = dirname(at)) {
    if (existsSync(join(at, 'package.json')) && readPackage(at).name !== undefined) return at;
  }
  throw new Error(`${module} belongs to no package`);
}

interface Package {
  readonly name?: string;
  readonly version?: string;
  readonly license?: string;
  readonly author?: string | { readonly name: string };
}

function readPackage(folder: string): Package {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Package;
}

/** The package's licence file; the few that bring none name their licence and author in package.json. */
function notice(folder: string): string {
  const { name, version, license, author } = readPackage(folder);
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  const by = typeof author === 'object' ? author.name : author;
  if (file === undefined && license === undefined) throw new Error(`${folder} has no licence`);
  const text =
    file === undefined
      ? `${license ?? ''}, ${by ?? ''}\n`
      : readFileSync(join(folder, file), 'utf8');
  return `${'-'.repeat(80)}\n${name ?? ''} ${version ?? ''}\n\n${text.trim()}\n`;
}
