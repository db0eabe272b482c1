import { describe, expect, it } from 'vitest';
import { postgresSettingsKind } from '../../../src/resource/postgres-settings.js';
import { postgresSettings } from '../../../src/resource/postgres-settings-resource.js';

describe('a settings file that the server has not read since it was changed', () => {
  const resource = postgresSettings({
    version: 17,
    settings: { work_mem: '12MB', random_page_cost: 1.1, jit: false },
  });
  const live = [
    ['s', 'work_mem', '12288', 'kB', 'integer', 'user', 'f', '12MB', '12288', ''],
    ['s', 'random_page_cost', '1.1', '', 'real', 'user', 'f', '1.1', '1.1', ''],
    ['s', 'jit', 'off', '', 'bool', 'user', 'f', 'off', 'off', ''],
  ];
  const unread = (rows: readonly (readonly string[])[]): unknown => {
    const text = [...live, ...rows].map((row) => row.join('\x1f')).join('\n');
    const output = `file 17/main ${'0'.repeat(64)} postgres:postgres 644\nserver\nup\n${text}\n`;
    const state = postgresSettingsKind.parse(output, [resource]).get('17/main');
    return typeof state === 'object' && 'unread' in state ? state['unread'] : state;
  };

  it('is told setting by setting, before it takes effect', () => {
    expect(
      unread([
        ['f', 'work_mem', '77MB'],
        ['f', 'JIT', 'off'],
        ['f', 'fsync', 'off'],
      ]),
    ).toBe('work_mem 77MB, fsync off, without random_page_cost');
  });

  it('says no more where all of it is in effect, or only a comment differs', () => {
    expect(unread([])).toBe('none');
    expect(
      unread([
        ['f', 'work_mem', '12MB'],
        ['f', 'random_page_cost', '1.1'],
        ['f', 'jit', 'off'],
      ]),
    ).toBe('none');
  });
});
