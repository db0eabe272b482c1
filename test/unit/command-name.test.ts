import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { commandName } from '../../src/cli/command-name.js';

const folder = mkdtempSync(join(tmpdir(), 'odoo-prov-name-'));
const program = join(folder, 'clone/bin/odoo-prov');
mkdirSync(join(folder, 'clone/bin'), { recursive: true });
mkdirSync(join(folder, 'path'));
writeFileSync(program, '');
afterAll(() => {
  rmSync(folder, { recursive: true });
});

test('hints name the program by what can be typed', () => {
  const path = `/nowhere:${join(folder, 'path')}`;
  expect(commandName(program, path, join(folder, 'clone'))).toBe('node bin/odoo-prov');
  expect(commandName(program, path, join(folder, 'path'))).toBe(`node ${program}`);
  symlinkSync(program, join(folder, 'path/odoo-prov'));
  expect(commandName(program, path, folder)).toBe('odoo-prov');
  // Another installation comes first.
  const other = join(folder, 'clone/other');
  writeFileSync(other, '');
  expect(commandName(other, path, folder)).toBe('node clone/other');
});
