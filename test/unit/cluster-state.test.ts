import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readState, writeState } from '../../src/state/cluster-state.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'odoo-prov-state-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

test('nothing to remember leaves no file', () => {
  writeState(join(folder, 'acme.yaml'), { facts: {} });
  expect(readdirSync(folder)).toEqual([]);
});

test('what is there already is not written again, anything else is', () => {
  const inventory = join(folder, 'acme.yaml');
  const state = { facts: {}, postgres: { systemIdentifier: '7' } };
  writeState(inventory, state);
  const { ino } = statSync(join(folder, 'acme.state.json'));
  writeState(inventory, structuredClone(state));
  expect(statSync(join(folder, 'acme.state.json')).ino).toBe(ino);
  writeState(inventory, { facts: {} });
  expect(readState(inventory)).toEqual({ facts: {} });
});
