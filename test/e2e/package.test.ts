import { execFile, execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);
const ROOT = resolve(import.meta.dirname, '../..');

let folder: string;
let program: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'odoo-prov-package-'));
  const { stdout } = await run('npm', ['pack', '--silent', '--pack-destination', folder], {
    cwd: ROOT,
  });
  const tarball = join(folder, stdout.trim().split('\n').at(-1) ?? '');
  const prefix = join(folder, 'prefix');
  await run(
    'npm',
    ['install', '--global', '--prefix', prefix, '--no-audit', '--no-fund', tarball],
    {
      cwd: folder,
    },
  );
  program = join(prefix, 'bin', 'odoo-prov');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Where the package lies after its installation. */
function installed(...path: readonly string[]): string {
  return join(folder, 'prefix/lib/node_modules/odoo-prov', ...path);
}

describe('the package, installed from its own tarball', () => {
  it('says its version', async () => {
    const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
      version: string;
    };
    expect((await run(program, ['--version'], { cwd: folder })).stdout).toBe(`${version}\n`);
  });

  it('shows its help from any folder', async () => {
    const { stdout } = await run(program, ['--help'], { cwd: '/' });
    expect(stdout).toMatch(/^Usage: odoo-prov /);
  });

  it('lints every example that it brings', async () => {
    const examples = (await readdir(installed('inventory'))).filter((f) => f.endsWith('.yaml'));
    expect(examples).toContain('one-host.yaml');
    for (const example of examples) {
      const { stdout } = await run(program, ['lint', installed('inventory', example)], {
        cwd: folder,
      });
      expect(stdout).toContain('principle 5');
    }
  });

  it('brings its templates and nothing of its tests', async () => {
    const files = await readdir(installed());
    expect(files).toEqual(expect.arrayContaining(['bin', 'dist', 'inventory', 'templates']));
    expect(files).not.toContain('test');
    expect((await readdir(installed('templates'))).length).toBeGreaterThan(0);
  });

  it('needs no other package, and brings the licences of those that are in it', async () => {
    expect(await readdir(installed())).not.toContain('node_modules');
    expect(await readdir(join(folder, 'prefix/lib/node_modules'))).toEqual(['odoo-prov']);
    const notices = await readFile(installed('dist/third-party-notices.txt'), 'utf8');
    for (const library of ['ssh2', 'age-encryption', '@noble/hashes', 'zx']) {
      expect(notices).toMatch(new RegExp(`^${library} \\d.*\n\n.*(Copyright|Licen[sc]e)`, 'm'));
    }
  });

  it('completes in bash', () => {
    const script = `source <(odoo-prov completion bash)
COMP_WORDS=(odoo-prov ap) COMP_CWORD=1
_odoo_prov && printf '%s\\n' "\${COMPREPLY[@]}" && complete -p odoo-prov`;
    const PATH = `${join(folder, 'prefix/bin')}:${process.env['PATH'] ?? ''}`;
    const text = execFileSync('bash', ['-c', script], { env: { ...process.env, PATH } }).toString();
    expect(text).toBe('apply\ncomplete -o filenames -F _odoo_prov odoo-prov\n');
  });

  it('gives a mistake the exit code 1', async () => {
    await expect(run(program, ['aply'], { cwd: folder })).rejects.toMatchObject({ code: 1 });
  });
});
