import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder that holds package.json, from sources and from `dist` alike. */
export const PACKAGE_ROOT = findRoot(dirname(fileURLToPath(import.meta.url)));

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
