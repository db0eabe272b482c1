import { describe, expect, it } from 'vitest';
import { aptSourceKind } from '../../../src/resource/apt-source.js';
import { absentPackage, aptPackage, aptSource } from '../../../src/resource/index.js';
import { packageKind } from '../../../src/resource/package.js';
import type { PackageResource } from '../../../src/resource/package.js';

const change = (resource: PackageResource) => ({
  resource,
  have: 'absent' as const,
  want: packageKind.want(resource, ''),
  differences: [],
});

describe('package', () => {
  it('asks dpkg once', () => {
    const wanted = [aptPackage({ name: 'nginx' }), absentPackage('apache2')];
    expect(packageKind.probe(wanted, '').render()).toBe(
      "dpkg-query -W -f '${Package} ${db:Status-Status} ${db:Status-Eflag}\\n' -- nginx apache2 2>/dev/null ||\n" +
        '  [ $? -eq 1 ]',
    );
  });

  it('reads installed, half-installed, removed and unknown ones', () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    const output = [
      'a installed ok',
      'b config-files ok',
      'c half-configured ok',
      'd installed reinstreq',
      'f not-installed ok',
      'f installed ok',
      '',
    ].join('\n');
    const found = packageKind.parse(
      output,
      names.map((name) => aptPackage({ name })),
    );
    expect(Object.fromEntries(found)).toEqual({
      a: { status: 'installed' },
      b: 'absent',
      c: { status: 'half-configured' },
      d: { status: 'reinst-required' },
      e: 'absent',
      f: { status: 'installed' },
    });
  });

  it('removes first, then installs once for each suite', () => {
    const script = packageKind
      .applyTogether?.([
        change(aptPackage({ name: 'nginx' })),
        change(aptPackage({ name: 'odoo-19', release: 'sid' })),
        change(absentPackage('apache2')),
        change(aptPackage({ name: 'redis-server' })),
      ])
      .render();
    expect(script?.split('\n').slice(-6)).toEqual([
      'wait_for_lock',
      'repair_dpkg',
      "apt_get remove -- apache2 || fail 'apt-get remove failed'",
      'update_if_needed',
      'install_or_update -- nginx redis-server',
      'install_or_update -t sid -- odoo-19',
    ]);
    expect(script).toContain('export DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l');
  });
});

describe('apt source', () => {
  const source = aptSource({
    name: 'odoo',
    uris: ['https://nightly.example/19.0/nightly/deb/'],
    suites: ['./'],
    components: [],
    key: 'KEY',
    options: { 'Check-Valid-Until': 'no' },
    pin: [
      { pin: 'origin nightly.example', priority: 100 },
      { packages: 'odoo', pin: 'origin nightly.example', priority: 900 },
    ],
  });

  it('writes key, pins and source, the source last', () => {
    const script = aptSourceKind
      .apply({ resource: source, have: 'absent', want: 'absent', differences: [] })
      .render();
    const contents = [...script.matchAll(/printf '%s' '([^']*)' \| base64 -d/g)].map((m) =>
      Buffer.from(m[1] ?? '', 'base64').toString(),
    );
    expect(contents).toEqual([
      'KEY\n',
      'Package: *\nPin: origin nightly.example\nPin-Priority: 100\n\n' +
        'Package: odoo\nPin: origin nightly.example\nPin-Priority: 900\n',
      'Types: deb\nURIs: https://nightly.example/19.0/nightly/deb/\nSuites: ./\n' +
        'Signed-By: /etc/apt/keyrings/odoo.asc\nCheck-Valid-Until: no\n',
    ]);
  });

  it('compares each part by itself', () => {
    const hash = 'a'.repeat(64);
    const output = `${hash}  /etc/apt/keyrings/odoo.asc\0`;
    expect(aptSourceKind.parse(output, [source]).get('odoo')).toEqual({
      key: hash,
      pin: 'none',
      source: 'none',
    });
    expect(aptSourceKind.parse('', [source]).get('odoo')).toBe('absent');
    const bare = aptSource({ name: 'x', uris: ['u'], suites: ['s'], components: ['main'] });
    expect(aptSourceKind.want(bare, '')).toMatchObject({ key: 'none', pin: 'none' });
  });
});
