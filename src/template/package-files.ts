import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder that holds package.json, from sources and from `dist` alike. */
export const PACKAGE_ROOT = findRoot(dirname(fileURLToPath(import.meta.url)));

/** The version in package.json. */
export const PACKAGE_VERSION = readVersion();

function readVersion(): string {
  const parsed: unknown = JSON.parse(readFileSync(join(PACKAGE_ROOT, 'package.json'), 'utf8'));
  const version =
    parsed !== null && typeof parsed === 'object' && 'version' in parsed && parsed.version;
  if (typeof version !== 'string') throw new Error('package.json holds no version');
  return version;
}

function findRoot(folder: string): string {
  for (let at = folder; ; at = dirname(at)) {
    if (readdirSync(at).includes('package.json')) return at;
    if (dirname(at) === at) throw new Error(`no package.json above ${folder}`);
  }
}

/** Every file below `templates/`, by its path relative to that folder. Read once, handed to the roles. */
export function readTemplates(): ReadonlyMap<string, string> {
  const top = join(PACKAGE_ROOT, 'templates');
  const files = readdirSync(top, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return new Map(
    files.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [relative(top, path), readFileSync(path, 'utf8')];
    }),
  );
}
