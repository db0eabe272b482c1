import { execFileSync, spawnSync } from 'node:child_process';
import { posix } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fileKind } from '../../../src/resource/file.js';
import { absentFile, file } from '../../../src/resource/index.js';
import type { Wanted } from '../../../src/resource/kind.js';
import { Secret, type Script } from '../../../src/shell/index.js';

const conf = file({
  path: '/etc/a/b.conf',
  content: 'x\n',
  mode: '640',
  validate: 'nginx -t -c {}',
});
const SHA_X = '73cb3858a687a8494ca3323053016282f3dad39d42cf62ca4e79dda2aac7d9ac';
const change = (resource: ReturnType<typeof file>, want: Wanted = 'absent') => ({
  resource,
  have: 'absent' as const,
  want,
  differences: [],
});

/** Runs shell text with its programs replaced, and gives what it printed. */
function run(functions: string, script: Script): string {
  return execFileSync('sh', ['-s'], {
    input: `${functions}\n${script.render()}`,
    encoding: 'utf8',
  });
}

describe('file', () => {
  it('looks at all files with one find and one sha256sum', () => {
    const probe = fileKind.probe([conf, absentFile('/etc/old')], 'salt').render();
    expect(probe).toBe(`(
set -- /etc/a/b.conf /etc/old
find -P "$@" -maxdepth 0 -printf 's\\0%p\\0%y\\0%m\\0%u\\0%g\\0%T@\\0%l\\0' 2>/dev/null || :
set -- /etc/a/b.conf /etc/old
for file do
  shift
  if [ -f "$file" ] && [ ! -L "$file" ]; then set -- "$@" "$file"; fi
done
if [ $# -gt 0 ]; then sha256sum -z -- "$@"; fi
)`);
  });

  it('writes beside, validates, syncs and renames', () => {
    expect(fileKind.apply(change(conf)).render()).toMatchInlineSnapshot(`
      "(
      path=/etc/a/b.conf folder=/etc/a left=/etc/a/.b.conf.odoo-prov
      if [ -d "$path" ] && [ ! -L "$path" ]; then
        printf '%s\\n' "$path is a directory and is not replaced: move it away and run again" >&2
        exit 1
      fi
      if [ ! -d "$folder" ]; then
        printf '%s\\n' "the folder $folder does not exist" >&2
        exit 1
      fi
      temp="$left.$$"
      rm -f -- "$left".*
      trap 'rm -f -- "$temp"' EXIT
      umask 077
      printf '%s' 'eAo=' | base64 -d > "$temp"
      if [ -f "$path" ] && [ ! -L "$path" ] && cmp -s -- "$temp" "$path"; then
        rm -f -- "$temp"
        chown -- root:root "$path"
        chmod -- 0640 "$path"
        exit 0
      fi
      chown -- root:root "$temp"
      chmod -- 0640 "$temp"
      if ! ( nginx -t -c "$temp" ) </dev/null; then
        printf '%s\\n' 'the new content was refused by: nginx -t -c FILE' >&2
        exit 1
      fi
      sync -- "$temp"
      mv -fT -- "$temp" "$path"
      sync -- "$folder"
      )"
    `);
  });

  it('reads each state', () => {
    const output = [
      ...['s', '/etc/a/b.conf', 'f', '640', 'root', 'root', '1795293168.6926914510', ''],
      ...['s', '/etc/link', 'l', '777', 'root', 'root', '1795293168.6926914510', '/else where\n'],
      ...['s', '/etc/dir', 'd', '2755', 'root', 'adm', '1795293168.6926914510', ''],
      `${SHA_X}  /etc/a/b.conf`,
      '',
    ].join('\0');
    const wanted = ['/etc/link', '/etc/dir', '/etc/none'].map((path) => absentFile(path));
    const found = fileKind.parse(output, [conf, ...wanted]);
    expect(found.get('/etc/a/b.conf')).toEqual(fileKind.want(conf, 'salt'));
    expect(found.get('/etc/link')).toEqual({ type: 'symlink' });
    expect(found.get('/etc/dir')).toEqual({ type: 'directory' });
    expect(found.get('/etc/none')).toBe('absent');
  });

  it('compares a secret by a salted hash, which the probe can name without knowing it', () => {
    const secret = file({ path: '/s', content: new Secret('hunter2') });
    const plain = file({ path: '/s', content: 'hunter2' });
    expect(fileKind.probe([secret], 'salt').hasSecrets).toBe(false);
    expect(fileKind.want(secret, 'one')).not.toEqual(fileKind.want(secret, 'two'));
    expect(fileKind.want(secret, 'one')).not.toEqual(fileKind.want(plain, 'one'));
    expect(String(fileKind.apply(change(secret)))).not.toContain('aHVudGVyMg');
    expect(fileKind.apply(change(secret)).render()).toContain('aHVudGVyMg');
  });

  it('hands any path to find as it is, and any content to the file', () => {
    const text = fc.string({ unit: 'grapheme' }).filter((t) => !t.includes('\0'));
    fc.assert(
      fc.property(text, text, (name, content) => {
        const path = `/no such folder/x${name}`;
        const resource = file({ path, content });
        const looked = run(
          `find() { shift; printf '%s\\0' "$1"; }; sha256sum() { :; }`,
          fileKind.probe([resource], 'salt'),
        );
        expect(looked).toBe(`${path}\0`);
        const apply = fileKind.apply(change(resource)).render();
        const encoded = /printf '%s' '([^']*)' \| base64 -d/.exec(apply)?.[1] ?? '?';
        expect(Buffer.from(encoded, 'base64').toString()).toBe(content);
        // Its folder does not exist here, which it says with the folder's exact name.
        const folder = posix.dirname(path);
        const said = spawnSync('sh', ['-eus'], { input: apply, encoding: 'utf8' });
        expect(said.stderr).toBe(`the folder ${folder} does not exist\n`);
      }),
      { numRuns: 30 },
    );
  });
});
