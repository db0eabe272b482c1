import { describe, expect, it } from 'vitest';
import { Failure, formatFailure } from '../../../src/failure/failure.js';
import { collect } from '../../../src/plan/collect.js';
import { sameValue } from '../../../src/plan/same-value.js';
import { file, type FileOptions } from '../../../src/resource/file.js';
import type { RoleDefinition, StageName } from '../../../src/role/role.js';
import { Secret } from '../../../src/shell/index.js';
import { testCluster, testHost, testSite } from '../../support/site.js';

const role = (
  name: StageName,
  install: readonly FileOptions[],
  configure: readonly FileOptions[],
): RoleDefinition => ({
  name,
  summary: name,
  after: [],
  on: () => true,
  install: () => install.map(file),
  configure: () => configure.map(file),
});
const host = testHost('one', 1, ['app']);
const site = testSite(testCluster([host]), host);
const ids = (roles: readonly RoleDefinition[]) =>
  collect(roles, site).stages.map((s) => [s.stage, s.resources.map((r) => r.id)]);

describe('collect', () => {
  it('puts what all roles install first, then each role in order', () => {
    const app = role('app', [{ path: '/a', content: '1' }], [{ path: '/b', content: '2' }]);
    const cron = role('cron', [{ path: '/c', content: '3' }], [{ path: '/d', content: '4' }]);
    expect(ids([app, cron])).toEqual([
      ['install', ['/a', '/c']],
      ['app', ['/b']],
      ['cron', ['/d']],
    ]);
  });

  it('makes once what two roles want alike, secrets included', () => {
    const content = (): Secret => new Secret('same');
    const app = role('app', [], [{ path: '/a', content: content() }]);
    const cron = role('cron', [], [{ path: '/a', content: content() }]);
    expect(ids([app, cron])).toEqual([
      ['install', []],
      ['app', ['/a']],
      ['cron', []],
    ]);
  });

  it('refuses two contents for one resource, naming both roles and no secret', () => {
    const app = role('app', [], [{ path: '/a', content: new Secret('one') }]);
    const cron = role('cron', [], [{ path: '/a', content: new Secret('two') }]);
    const attempt = (): unknown => ids([app, cron]);
    expect(attempt).toThrow(Failure);
    try {
      attempt();
    } catch (error) {
      expect(formatFailure(error as Failure)).toBe(
        [
          'one file:/a: the roles app and cron want different contents for it',
          '  expected  one content',
          '  found     one from app, another from cron',
          '  next      give the two roles to different hosts, or report it: roles that we ship should not clash',
        ].join('\n'),
      );
    }
  });
});

describe('sameValue', () => {
  it('looks into secrets, lists and records', () => {
    expect(sameValue(new Secret('a'), new Secret('a'))).toBe(true);
    expect(sameValue(new Secret('a'), new Secret('b'))).toBe(false);
    expect(sameValue(new Secret('a'), 'a')).toBe(false);
    expect(sameValue({ a: [1, { b: 2 }] }, { a: [1, { b: 2 }] })).toBe(true);
    expect(sameValue({ a: [1] }, { a: { 0: 1 } })).toBe(false);
    expect(sameValue({ a: 1 }, { a: 1, b: undefined })).toBe(false);
  });
});
