import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { Secret } from '../../src/shell/secret.js';
import { raw, sh } from '../../src/shell/index.js';
import { LineSplitter } from '../../src/transport/line-splitter.js';
import { PasswordGate } from '../../src/transport/password-gate.js';
import { Semaphore } from '../../src/concurrency/semaphore.js';
import { anyShellQuote, type Elevation, wireText, wrapScript } from '../../src/transport/wire.js';

const options = { nonce: 'abc', limit: 60, fed: false };
const wire = (script = raw('id'), elevation: Elevation = 'none') =>
  wireText(script, { ...options, elevation });

describe('how a script is sent', () => {
  test('root: as the exec string while it is short and holds no secret', () => {
    expect(wire().input).toBeUndefined();
    // No character that any login shell would touch, and no line feed.
    expect(wire().command).toMatch(/^echo [A-Za-z0-9+/=]+ \| base64 -d \| timeout -k 10 65 sh -s$/);
    const secret = wire(sh`echo ${new Secret('s3cret')}`);
    expect(secret.command).toBe('exec timeout -k 10 65 sh -s');
    expect(secret.input).toContain('s3cret');
    // What counts is the encoded length: one argument is at most 128 KiB.
    const long = wire(raw(`: ${'é'.repeat(40 * 1024)}`));
    expect(long.command).toBe('exec timeout -k 10 65 sh -s');
  });

  test.each(['sudo', 'sudo-password'] as const)('%s: always over stdin', (elevation) => {
    const { command, input } = wire(raw('harmless'), elevation);
    expect(command).toContain('sudo -n sh -c');
    expect(command).not.toContain('harmless');
    expect(input).toContain('harmless');
  });

  test('fed: as it is, behind the line that sets PATH and locale', () => {
    const { command, input } = wireText(raw('one'), { ...options, elevation: 'none', fed: true });
    expect(command).toBe('exec timeout -k 10 65 sh -s');
    expect(input).toMatch(/^echo '@started abc' >&2;[^\n]*\nLC_ALL=C;[^\n]*\none\n$/);
  });

  test('cut anywhere, a script runs nothing', () => {
    const whole = wrapScript('echo ran', 'abc');
    const run = (text: string): string =>
      spawnSync('sh', ['-s'], { input: text, encoding: 'utf8' }).stdout;
    expect(run(whole)).toBe('ran\n');
    // The last line may lose its end; then `odoo_prov` may still be called, but whole.
    const body = whole.lastIndexOf('}');
    for (let end = 0; end <= body; end += 7) expect(run(whole.slice(0, end))).toBe('');
  });

  test('quoting survives any text', () => {
    const text = fc.string({ unit: 'binary' }).filter((word) => !word.includes('\0'));
    fc.assert(
      fc.property(text, (word) => {
        const { stdout } = spawnSync('sh', ['-c', `printf %s ${anyShellQuote(word)}`]);
        expect(stdout.equals(Buffer.from(word))).toBe(true);
      }),
      { numRuns: 50 },
    );
    // fish reads a backslash inside single quotes as an escape: there is none.
    expect(anyShellQuote(`a\\b'c`)).toBe(`'a'"\\\\"'b'"'"'c'`);
  });
});

test('lines are whole however the bytes are cut', () => {
  const text = 'ä€😀\n\nlast without end';
  const bytes = Buffer.from(text);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: bytes.length })), (cuts) => {
      const lines: string[] = [];
      const splitter = new LineSplitter((line) => lines.push(line));
      const at = [0, ...cuts.sort((a, b) => a - b), bytes.length];
      at.slice(1).forEach((end, i) => splitter.push(bytes.subarray(at[i], end)));
      expect(lines).toEqual(['ä€😀', '']);
      expect(splitter.end()).toBe(text);
      expect(lines.at(-1)).toBe('last without end');
    }),
  );
});

test('a semaphore bounds, and frees its slot after a failure', async () => {
  const slots = new Semaphore(3);
  let now = 0;
  let most = 0;
  const work = async (n: number): Promise<number> => {
    now += 1;
    most = Math.max(most, now);
    await new Promise((resolve) => setImmediate(resolve));
    now -= 1;
    if (n % 4 === 0) throw new Error('one of them');
    return n;
  };
  const all = await Promise.allSettled(
    Array.from({ length: 20 }, (_, n) => slots.hold(() => work(n))),
  );
  expect(most).toBe(3);
  expect(all.filter((one) => one.status === 'fulfilled')).toHaveLength(15);
});

describe('sudo’s password is guarded', () => {
  /** Hosts that all want to try; each tells what it is told to. */
  async function tryAll(
    gate: PasswordGate,
    outcomes: Record<string, 'accepted' | 'refused' | 'not-tried'>,
  ) {
    const tried: string[] = [];
    let atOnce = 0;
    let most = 0;
    const results = await Promise.allSettled(
      Object.entries(outcomes).map(([host, outcome]) =>
        gate.run(host, async (tell) => {
          tried.push(host);
          atOnce += 1;
          most = Math.max(most, atOnce);
          await new Promise((resolve) => setImmediate(resolve));
          tell(outcome);
          await new Promise((resolve) => setImmediate(resolve));
          atOnce -= 1;
          if (outcome === 'refused') throw new Error('refused');
        }),
      ),
    );
    return { tried, most, ok: results.map((result) => result.status === 'fulfilled') };
  }

  test('refused by the first host: tried nowhere else', async () => {
    const gate = new PasswordGate();
    const all = await tryAll(gate, { a: 'refused', b: 'accepted', c: 'accepted' });
    expect(all).toMatchObject({ tried: ['a'], ok: [false, false, false] });
    await expect(gate.run('b', () => Promise.resolve())).rejects.toThrow('a has refused it');
    await expect(gate.run('a', () => Promise.resolve())).rejects.toThrow(
      'this host has refused it',
    );
  });

  test('a host that did not ask proves nothing: the next one is tried alone', async () => {
    const all = await tryAll(new PasswordGate(), { a: 'not-tried', b: 'refused', c: 'accepted' });
    expect(all.tried).toEqual(['a', 'b']);
  });

  test('accepted once: the others go on at once, and a refusal is only its host’s', async () => {
    const gate = new PasswordGate();
    await tryAll(gate, { a: 'accepted' });
    const all = await tryAll(gate, { b: 'refused', c: 'accepted', d: 'accepted' });
    expect(all).toMatchObject({ tried: ['b', 'c', 'd'], most: 3, ok: [false, true, true] });
    await expect(gate.run('b', () => Promise.resolve())).rejects.toThrow('refused');
  });

  test('an attempt that throws before it tells lets the next one on', async () => {
    const gate = new PasswordGate();
    await expect(gate.run('a', () => Promise.reject(new Error('cut')))).rejects.toThrow('cut');
    expect(await gate.run('b', () => Promise.resolve(1))).toBe(1);
  });
});
