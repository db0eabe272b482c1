import { describe, expect, it } from 'vitest';
import { postgresSettings } from '../../../src/resource/postgres-settings-resource.js';
import { postgresSettingsKind } from '../../../src/resource/postgres-settings.js';

describe('what somebody wrote into the settings file', () => {
  const resource = postgresSettings({
    version: 17,
    settings: { work_mem: '12MB', random_page_cost: 1.1, jit: false },
  });
  const live = (workMem: string): readonly (readonly string[])[] => [
    ['s', 'work_mem', workMem, 'kB', 'integer', 'user', 'f', `${workMem}kB`, workMem, ''],
    ['s', 'random_page_cost', '1.1', '', 'real', 'user', 'f', '1.1', '1.1', ''],
    ['s', 'jit', 'off', '', 'bool', 'user', 'f', 'off', 'off', ''],
  ];
  const inFile = (rows: readonly (readonly string[])[], workMem = '12288'): unknown => {
    const text = [...live(workMem), ...rows].map((row) => row.join('\x1f')).join('\n');
    const output = `file 17/main ${'0'.repeat(64)} postgres:postgres 644\nserver\nup\n${text}\n`;
    const state = postgresSettingsKind.parse(output, [resource]).get('17/main');
    return typeof state === 'object' && 'in_file' in state ? state['in_file'] : state;
  };

  it('is told setting by setting, before the server reads it', () => {
    expect(
      inFile([
        ['f', 'work_mem', '77MB', 'f'],
        ['f', 'JIT', 'off', 'f'],
        ['f', 'enable_seqscan', 'off', 'f'],
      ]),
    ).toBe('work_mem 77MB, random_page_cost missing, enable_seqscan off');
  });

  it('is told once: what is in effect is a difference of the setting itself', () => {
    const rows = [
      ['f', 'work_mem', '77MB', 'f'],
      ['f', 'random_page_cost', '1.1', 'f'],
      ['f', 'jit', 'off', 'f'],
    ];
    expect(inFile(rows, '78848')).toBe('none');
  });

  it('is told after that too, where nobody wants such a setting', () => {
    expect(inFile([['f', 'enable_seqscan', 'off', 't']])).toBe('enable_seqscan off');
    expect(inFile([])).toBe('none');
  });
});
