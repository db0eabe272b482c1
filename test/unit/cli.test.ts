import { execFile, execFileSync } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openSecrets } from '../../src/secrets/index.js';

const ROOT = resolve(import.meta.dirname, '../..');
const PROGRAM = join(ROOT, 'bin/odoo-prov');

let folder: string;

// Each test starts the program several times; a busy machine needs its time for that.
vi.setConfig({ testTimeout: 60_000 });

beforeAll(async () => {
  // The compiled program is what is tested: the same that a user runs.
  execFileSync('sh', [join(ROOT, 'scripts/build.sh')], { stdio: 'inherit' });
  folder = await mkdtemp(join(tmpdir(), 'odoo-prov-cli-'));
  await writeFile(
    join(folder, 'small.yaml'),
    'odoo: { domain: localhost.localdomain }\nhosts:\n  server1:\n    address: 198.51.100.11\n' +
      '    roles: [edge, app, cron, gevent, pgbouncer, redis, pg-primary]\n',
  );
  await writeFile(
    join(folder, 'broken.yaml'),
    'hosts: { a: { address: 198.51.100.1, roles: [ap] } }\n',
  );
}, 600_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the program as a user would, with 80 columns and nothing more on stdin than `input`. */
function odooProv(
  words: readonly string[],
  environment: NodeJS.ProcessEnv = {},
  input = '',
): Promise<Result> {
  const env = {
    ...process.env,
    NO_COLOR: '1',
    FORCE_COLOR: '',
    ODOO_PROV_KEY_FILE: join(folder, 'age.key'),
    ...environment,
  };
  return new Promise((done) => {
    const child = execFile(
      process.execPath,
      [PROGRAM, ...words],
      { cwd: folder, env },
      (error, stdout, stderr) =>
        done({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
    child.stdin?.end(input);
  });
}

describe('usage', () => {
  it('prints the version of package.json', async () => {
    const { version } = (await import('../../package.json', { with: { type: 'json' } })).default;
    expect(await odooProv(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  });

  it('prints help that was asked for, with every line within 80 columns', async () => {
    for (const words of [[], ['apply'], ['lab'], ['exec'], ['secrets'], ['rehearse']]) {
      const { code, stdout } = await odooProv([...words, '--help']);
      expect(code).toBe(0);
      for (const line of stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
    }
  });

  it('offers only commands that exist', async () => {
    const { stdout } = await odooProv(['--help']);
    const commands = [...stdout.matchAll(/^ {2}([a-z-]+)(?: .*)?$/gm)].map((match) => match[1]);
    expect(commands).toEqual([
      'apply',
      'status',
      'switchover',
      'failover',
      'rejoin',
      'failover-test',
      'lint',
      'trust',
      'exec',
      'backup',
      'restore',
      'secrets',
      'lab',
      'rehearse',
      'schema',
      'completion',
    ]);
  });

  const mistakes: readonly (readonly [readonly string[], string])[] = [
    [
      ['aply', 'x'],
      "error: unknown command 'aply'\n(Did you mean apply?)\n  next      odoo-prov --help shows what can be given\n",
    ],
    [
      ['apply', 'x', '--chek'],
      "error: unknown option '--chek'\n(Did you mean --check?)\n  next      odoo-prov apply --help shows what can be given\n",
    ],
    [
      ['apply'],
      "error: missing required argument 'file'\n  next      odoo-prov apply --help shows what can be given\n",
    ],
    [
      ['apply', 'x', '--concurrency', '0'],
      "error: option '--concurrency <n>' argument '0' is invalid. A whole number from 1.\n  next      odoo-prov apply --help shows what can be given\n",
    ],
    [
      ['apply', 'x', '--json', '--plain'],
      "error: option '--json' cannot be used with option '--plain'\n  next      odoo-prov apply --help shows what can be given\n",
    ],
    [
      ['rejoin', 'x', '--host', 'db3', '--host', 'db4'],
      "error: option '--host <host>' was given twice. It takes one value.\n  next      odoo-prov rejoin --help shows what can be given\n",
    ],
    [
      ['apply', 'x', '--concurrency', '2', '--concurrency=3'],
      "error: option '--concurrency <n>' was given twice. It takes one value.\n  next      odoo-prov apply --help shows what can be given\n",
    ],
    [
      ['apply', 'small.yaml', '--limit', 'server2', '--limit', 'server1'],
      '--limit server2 matches no host of this inventory\n  expected  one of: server1\n  found     none\n  next      check the spelling; `odoo-prov apply small.yaml --list-hosts` shows every host and its roles\n',
    ],
    [
      ['exec', 'small.yaml', '--', 'true'],
      "exec wants to be told on which hosts\n  expected  --limit or --role\n  next      choose some, or all of them knowingly with --limit '*'\n",
    ],
    [
      ['apply', 'small.yaml', '--limit', 'server2'],
      '--limit server2 matches no host of this inventory\n  expected  one of: server1\n  found     none\n  next      check the spelling; `odoo-prov apply small.yaml --list-hosts` shows every host and its roles\n',
    ],
    [
      ['restore', 'small.yaml', '--latest', '--recovery-key-file', 'key'],
      '--recovery-key-file brings the secrets back where the cluster is made anew\n  expected  --recovery-key-file with --new-hosts\n  found     --recovery-key-file alone\n  next      leave it out; or add --new-hosts, where all but the backups is lost\n',
    ],
    [
      ['failover-test', 'small.yaml', '--report', 'small.yaml'],
      'the report cannot be written to small.yaml\n  expected  a folder that you may write to\n  found     it is there, and is no folder\n  next      give another one with --report\n',
    ],
    [
      ['failover-test', 'small.yaml', '--report', '/proc/nowhere/deep'],
      "the report cannot be written to /proc/nowhere/deep\n  expected  a folder that you may write to\n  found     ENOENT: no such file or directory, mkdir '/proc/nowhere'\n  next      give another one with --report\n",
    ],
    [
      ['apply', 'small.yaml', '--ask-become-pass'],
      'cannot ask "sudo\'s password on the hosts:": there is no terminal to ask on\n  next      give --become-password-file FILE instead\n',
    ],
  ];
  it.each(mistakes)('%j is a mistake: exit 1 and what to do', async (words, stderr) => {
    expect(await odooProv(words)).toEqual({ code: 1, stdout: '', stderr });
  });
});

describe('inventory commands', () => {
  it('lint: 0 and the findings', async () => {
    const { code, stdout, stderr } = await odooProv(['lint', 'small.yaml']);
    expect([code, stderr]).toEqual([0, '']);
    const lines = stdout.split('\n');
    expect(lines[0]).toBe('small.yaml: small, 1 host, 7 roles');
    expect(lines.filter((line) => line.startsWith('fine     principle '))).toHaveLength(4);
  });

  it('lint and apply: 1 and every mistake with its place', async () => {
    const { code, stdout } = await odooProv(['lint', 'broken.yaml']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^broken\.yaml:1:1 error: /);
    expect(stdout).toContain('did you mean "app"?');
    const applied = await odooProv(['apply', 'broken.yaml']);
    expect(applied).toEqual({ code: 1, stdout: '', stderr: stdout });
  });

  it('lint --json: the same for programs', async () => {
    const { code, stdout } = await odooProv(['lint', 'broken.yaml', '--json']);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, findings: [] });
  });

  it.each([
    ['apply', 'broken.yaml'],
    ['status', 'broken.yaml'],
    ['failover-test', 'broken.yaml', '--list'],
    ['backup', 'broken.yaml', '--list'],
  ])('%s --json: a record for each mistake, on standard output', async (...words) => {
    const { code, stdout, stderr } = await odooProv([...words, '--json']);
    expect([code, stderr]).toEqual([1, '']);
    const records = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(records.length).toBeGreaterThan(1);
    for (const record of records) {
      expect(record).toMatchObject({
        type: 'mistake',
        file: 'broken.yaml',
        line: 1,
        severity: 'error',
      });
    }
    expect(records.at(-1)).toMatchObject({
      column: 46,
      message: 'unknown role "ap"; did you mean "app"?',
    });
  });

  it.each(['apply', 'status'])(
    '%s --json: what was refused, as a record beside the words for people',
    async (command) => {
      const words = [command, 'small.yaml', '--limit', 'another'];
      const refused = await odooProv(words);
      expect(refused).toMatchObject({ code: 1, stdout: '' });
      const { code, stdout, stderr } = await odooProv([...words, '--json']);
      expect({ code, stderr }).toEqual({ code: 1, stderr: refused.stderr });
      expect(stdout).toMatch(/^\{.*\}\n$/);
      const record = JSON.parse(stdout) as { readonly failure: Readonly<Record<string, string>> };
      expect(record).toMatchObject({ type: 'failure', exitCode: 1, failure: { reason: 'usage' } });
      const { message = '', remedy = '' } = record.failure;
      expect(stderr).toContain(message);
      expect(stderr).toContain(`next      ${remedy}`);
    },
  );

  it('apply --list-hosts: the chosen hosts', async () => {
    const { code, stdout } = await odooProv([
      'apply',
      'small.yaml',
      '--list-hosts',
      '--role',
      'app',
    ]);
    expect(code).toBe(0);
    expect(stdout).toBe(
      'server1  198.51.100.11  edge app cron gevent pgbouncer redis pg-primary\n',
    );
  });

  it('schema: a JSON Schema', async () => {
    const { stdout } = await odooProv(['schema']);
    expect(JSON.parse(stdout)).toMatchObject({ title: 'odoo-prov inventory', type: 'object' });
  });
});

describe('secrets', () => {
  it('lists names, shows a value, names the nearest one, makes none', async () => {
    const inventory = join(folder, 'small.yaml');
    const before = await odooProv(['secrets', 'small.yaml', 'list']);
    expect(before).toEqual({
      code: 0,
      stdout: '',
      stderr: 'no secret has been generated yet: the first apply makes them\n',
    });
    expect(await readdir(folder)).toEqual(['broken.yaml', 'small.yaml']);

    const store = await openSecrets(inventory, { keyFile: join(folder, 'age.key') });
    const value = store.get('redis-password').reveal();
    await store.save();
    expect((await odooProv(['secrets', 'small.yaml', 'list'])).stdout).toBe('redis-password\n');
    const shown = await odooProv(['secrets', 'small.yaml', 'show', 'redis-password']);
    expect(shown).toEqual({ code: 0, stdout: `${value}\n`, stderr: '' });
    expect(await odooProv(['secrets', 'small.yaml', 'show', 'redis-pasword'])).toEqual({
      code: 1,
      stdout: '',
      stderr:
        'there is no secret redis-pasword; did you mean "redis-password"?\n' +
        '  expected  one of: redis-password\n' +
        '  next      odoo-prov secrets small.yaml list shows the names\n',
    });
  });

  it('takes the new password of admin from stdin, and no other', async () => {
    const set = ['secrets', 'small.yaml', 'set', 'odoo-admin-password'];
    expect(await odooProv(set, {}, 'new one\n')).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(await odooProv(set, {}, 'newer one\n')).toEqual({ code: 0, stdout: '', stderr: '' });
    const shown = await odooProv(['secrets', 'small.yaml', 'show', 'odoo-admin-password']);
    expect(shown.stdout).toBe('newer one\n');
    expect(await odooProv(set, {}, '\n')).toMatchObject({ code: 1 });
    const other = await odooProv(['secrets', 'small.yaml', 'set', 'redis-password'], {}, 'x\n');
    expect(other).toMatchObject({ code: 1, stdout: '' });
    expect(other.stderr).toContain('redis-password cannot be set');
  });

  it('are asked for before a primary is moved or a copy is read, which would need them', async () => {
    const lost = await mkdtemp(join(tmpdir(), 'odoo-prov-lost-'));
    const inventory = join(lost, 'lost.yaml');
    await writeFile(
      inventory,
      'postgres: { backup: { host: b1 } }\nfilestore: { type: posix }\nhosts:\n' +
        '  server1: { address: 192.0.2.11, roles: [edge, app, cron, gevent, pgbouncer, redis, pg-primary] }\n' +
        '  db2: { address: 192.0.2.12, roles: [pg-standby] }\n' +
        '  b1: { address: 192.0.2.13 }\n',
    );
    try {
      for (const words of [
        ['switchover', inventory, '--yes'],
        ['rejoin', inventory, '--yes'],
        ['restore', inventory, '--latest', '--confirm', 'lost'],
        ['restore', inventory, '--latest', '--on', 'b1'],
        ['backup', inventory, '--verify'],
      ]) {
        const { code, stderr } = await odooProv(words);
        expect(stderr, words.join(' ')).toContain('the secrets of this cluster are missing');
        expect(code, words.join(' ')).toBe(5);
      }
    } finally {
      await rm(lost, { recursive: true });
    }
  });
});

describe('completion', () => {
  /** What bash would offer after a line that ends at the cursor. */
  async function offered(line: string): Promise<readonly string[]> {
    const { stdout } = await odooProv(['completion', 'bash']);
    const script = `${stdout}
COMP_WORDS=(${line}); [ "$LAST" ] && COMP_WORDS+=("")
COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _odoo_prov; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const options = { cwd: folder, env: { ...process.env, LAST: line.endsWith(' ') ? '1' : '' } };
    return execFileSync('bash', ['-c', script], options).toString().trim().split('\n').sort();
  }

  it('offers commands, sub-commands, options, choices and files in bash', async () => {
    expect(await offered('odoo-prov l')).toEqual(['lab', 'lint']);
    expect(await offered('odoo-prov lab ')).toEqual(
      expect.arrayContaining(['down', 'list', 'ssh', 'up']),
    );
    expect(await offered('odoo-prov apply small.yaml --con')).toEqual(['--concurrency']);
    expect(await offered('odoo-prov apply br')).toEqual(['broken.yaml']);
    expect(await offered('odoo-prov completion f')).toEqual(['fish']);
  });

  it('is made for zsh and fish, too', async () => {
    expect((await odooProv(['completion', 'zsh'])).stdout).toMatch(/^autoload -U \+X bashcompinit/);
    expect((await odooProv(['completion', 'fish'])).stdout).toContain(
      "complete -c odoo-prov -n '__fish_seen_subcommand_from apply' -l check -d 'only look: say what would change, change nothing'",
    );
  });
});
