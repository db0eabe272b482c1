import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileProbe, observe, parseProbe } from '../../../src/batch/probe.js';
import type { Kind, Resource } from '../../../src/resource/kind.js';
import { raw, sh } from '../../../src/shell/index.js';

const nonce = 'n0nce';
const run = (text: string): string => execFileSync('sh', ['-s'], { input: text, encoding: 'utf8' });

describe('a compiled probe, run by a real shell', () => {
  it('answers each snippet with its output and exit code, and ends', () => {
    const script = compileProbe(
      [
        { name: 'one', script: sh`echo ${"it's"}; printf 'no newline'` },
        { name: 'two', script: sh`exit 3` },
        { name: 'three', script: sh`cat` },
      ],
      nonce,
    );
    expect(parseProbe(run(script.render()), nonce)).toEqual(
      new Map([
        ['one', { text: "it's\nno newline", code: 0 }],
        ['two', { text: '', code: 3 }],
        ['three', { text: '', code: 0 }],
      ]),
    );
  });

  it('gives back any text that a snippet prints, frames of its own included', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }).filter((t) => !t.includes('\0')),
        (text) => {
          const output = `@${nonce} end\n${text}`;
          const script = compileProbe([{ name: 'echo', script: sh`printf %s ${output}` }], nonce);
          const sane = Buffer.from(output).toString('utf8');
          expect(parseProbe(run(script.render()), nonce)?.get('echo')).toEqual({
            text: sane,
            code: 0,
          });
        },
      ),
      { numRuns: 8 },
    );
  });

  it('is known to be cut wherever it is cut', () => {
    const whole = run(compileProbe([{ name: 'one', script: sh`echo hello` }], nonce).render());
    for (let length = 0; length < whole.length - 1; length += 1) {
      expect(parseProbe(whole.slice(0, length), nonce)).toBeUndefined();
    }
    expect(parseProbe(whole, nonce)).toBeDefined();
  });

  it('does not run a snippet whose text was cut', () => {
    const text = compileProbe([{ name: 'one', script: sh`echo ran >&2` }], nonce).render();
    const cut = text.slice(0, text.indexOf('snippet </dev/null'));
    expect(parseProbe(run(cut), nonce)).toBeUndefined();
  });
});

describe('observe', () => {
  const kind: Kind = {
    name: 'fake',
    summary: 'a kind for this test',
    probe: () => raw(''),
    parse: (output) => new Map([['a', { text: output }]]),
    want: () => 'absent',
    apply: () => raw(''),
  };
  const resource: Resource = { kind: 'fake', id: 'a' };
  const see = (code: number, id = 'a') =>
    observe([{ ...resource, id }], new Map([['fake', { text: 'hi', code }]]), { fake: kind });

  it('takes what the kind parsed', () => {
    expect(see(0)).toEqual(new Map([['fake:a', { text: 'hi' }]]));
  });

  it('calls unknown what the probe did not mention, failed on, or took too long for', () => {
    expect(see(0, 'b').get('fake:b')).toEqual({ unknown: 'the probe said nothing about it' });
    expect(see(2).get('fake:a')).toEqual({ unknown: 'the probe ended with code 2' });
    expect(see(124).get('fake:a')).toEqual({ unknown: 'the probe took longer than 30 s' });
  });
});
