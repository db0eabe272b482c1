import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PACKAGE_ROOT } from '../../src/template/package-files.js';

/** Which folders each folder may import from, besides itself. docs/architecture.md draws it. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  'src/failure': [],
  'src/shell': [],
  'src/concurrency': [],
  'src/inventory': ['src/failure', 'src/shell'],
  'src/resource': ['src/shell', 'src/inventory'],
  'src/template': ['src/shell'],
  'src/role': ['src/shell', 'src/inventory', 'src/resource', 'src/template'],
  'src/odoo': ['src/shell', 'src/inventory', 'src/resource', 'src/role'],
  'src/postgres': [
    'src/failure',
    'src/shell',
    'src/inventory',
    'src/resource',
    'src/role',
    'src/odoo',
  ],
  'src/filestore': [
    'src/shell',
    'src/inventory',
    'src/resource',
    'src/role',
    'src/odoo',
    'src/postgres',
  ],
  roles: [
    'src/shell',
    'src/inventory',
    'src/resource',
    'src/role',
    'src/odoo',
    'src/postgres',
    'src/filestore',
  ],
  'src/plan': ['src/failure', 'src/shell', 'src/inventory', 'src/resource', 'src/role'],
  'src/batch': ['src/shell', 'src/resource', 'src/role', 'src/plan'],
  'src/facts': ['src/shell', 'src/inventory', 'src/role', 'src/postgres'],
  'src/status': [
    'src/failure',
    'src/shell',
    'src/inventory',
    'src/resource',
    'src/odoo',
    'src/postgres',
    'src/filestore',
    'src/plan',
    'src/batch',
    'src/facts',
  ],
  'src/failover-test': ['src/inventory', 'src/postgres', 'src/status'],
  'src/load': ['src/failure', 'src/shell', 'src/failover-test'],
  'src/state': ['src/failure'],
  'src/secrets': ['src/failure', 'src/shell'],
  'src/transport': ['src/failure', 'src/shell', 'src/concurrency', 'src/inventory'],
  'src/lab': ['src/failure', 'src/shell', 'src/template'],
  'src/run': [
    'src/failure',
    'src/shell',
    'src/concurrency',
    'src/inventory',
    'src/resource',
    'src/role',
    'src/postgres',
    'src/plan',
    'src/batch',
    'src/facts',
    'src/state',
    'src/transport',
  ],
  playbooks: ['*'],
  'src/ui': [
    'src/failure',
    'src/shell',
    'src/inventory',
    'src/resource',
    'src/role',
    'src/run',
    'src/status',
  ],
  'src/cli': ['*'],
};

/** Packages that only one folder may use, and the folders that do no I/O and so may use no node: module for it. */
const ONLY_IN: Readonly<Record<string, string>> = {
  'node-ssh': 'src/transport',
  ssh2: 'src/transport',
  listr2: 'src/ui',
  inquirer: 'src/ui',
  commander: 'src/cli',
  zx: 'src/lab',
  handlebars: 'src/template',
  'age-encryption': 'src/secrets',
  pg: 'src/load',
  ws: 'src/load',
};
const PURE = [
  'src/shell',
  'src/concurrency',
  'src/resource',
  'src/role',
  'src/plan',
  'src/batch',
  'src/facts',
  'src/status',
  'src/failover-test',
  'src/odoo',
  'src/postgres',
  'src/filestore',
  'roles',
];
const IO = /^node:(fs|child_process|net|http|https|dgram|dns|os|process|timers)\b/;

const folders = Object.keys(MAY_IMPORT);
const files = ['src', 'roles', 'playbooks']
  .flatMap((top) => readdirSync(join(PACKAGE_ROOT, top), { recursive: true, withFileTypes: true }))
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
  .map((entry) => relative(PACKAGE_ROOT, join(entry.parentPath, entry.name)));

/** The longest listed folder that holds a path. */
function folderOf(path: string): string | undefined {
  return folders.find((folder) => path.startsWith(`${folder}/`));
}

function importsOf(path: string): readonly string[] {
  const text = readFileSync(join(PACKAGE_ROOT, path), 'utf8');
  const found = text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g);
  return [...found].map(([, name = '']) =>
    name.startsWith('.') ? relative(PACKAGE_ROOT, join(PACKAGE_ROOT, dirname(path), name)) : name,
  );
}

function asSource(name: string): string {
  return name.replace(/\.js$/, '.ts');
}

/** Walks all imports; gives each way that leads back to a file on it. */
function circles(graph: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (path: string, way: readonly string[]): void => {
    const before = way.indexOf(path);
    if (before >= 0) found.push([...way.slice(before), path].join(' → '));
    if (before >= 0 || done.has(path)) return;
    graph.get(path)?.forEach((next) => visit(next, [...way, path]));
    done.add(path);
  };
  for (const path of graph.keys()) visit(path, []);
  return found;
}

describe('who imports whom', () => {
  it('has every source file in a folder with a rule', () => {
    expect(files.filter((path) => folderOf(path) === undefined)).toEqual([]);
  });

  it('goes one way', () => {
    const wrong = files.flatMap((path) => {
      const own = folderOf(path) ?? '';
      const allowed = MAY_IMPORT[own] ?? [];
      return importsOf(path)
        .map((name) => ({ name, folder: folderOf(name) }))
        .filter(({ folder }) => folder !== undefined && folder !== own)
        .filter(({ folder }) => !allowed.includes('*') && !allowed.includes(folder ?? ''))
        .map(({ name }) => `${path} imports ${name}`);
    });
    expect(wrong).toEqual([]);
  });

  it('goes in no circle between files', () => {
    expect(circles(new Map(files.map((path) => [path, importsOf(path).map(asSource)])))).toEqual(
      [],
    );
  });

  it('knows a circle when it sees one', () => {
    const graph = new Map([
      ['a', ['b', 'c']],
      ['b', ['c', 'node:fs']],
      ['c', ['a']],
      ['d', ['a']],
    ]);
    expect(circles(graph)).toEqual(['a → b → c → a']);
  });

  it('lets no role import another', () => {
    const wrong = files
      .filter((path) => path.startsWith('roles/') && path !== 'roles/index.ts')
      .flatMap((path) =>
        importsOf(path)
          .filter((name) => name.startsWith('roles/') && dirname(name) !== dirname(path))
          .map((name) => `${path} imports ${name}`),
      );
    expect(wrong).toEqual([]);
  });

  it('keeps each outside library in its one folder', () => {
    const wrong = files.flatMap((path) =>
      importsOf(path)
        .filter((name) => (ONLY_IN[name] ?? folderOf(path)) !== folderOf(path))
        .map((name) => `${path} imports ${name}`),
    );
    expect(wrong).toEqual([]);
  });

  it('keeps input and output out of the pure folders', () => {
    const wrong = files
      .filter((path) => PURE.includes(folderOf(path) ?? ''))
      .flatMap((path) =>
        importsOf(path)
          .filter((n) => IO.test(n))
          .map((n) => `${path} imports ${n}`),
      );
    expect(wrong).toEqual([]);
  });
});
