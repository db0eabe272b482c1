import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseInventory } from '../../src/inventory/index.js';

/*
 * broken/NN-name.yaml must give exactly the text of broken/NN-name.txt. A fixture that has no text yet gets
 * the one that it gives and fails this once: read it before you commit it.
 */
const folder = join(import.meta.dirname, 'broken');
const names = readdirSync(folder)
  .filter((name) => name.endsWith('.yaml'))
  .sort();

function errorText(name: string): string {
  const file = join(folder, name);
  const inventory = parseInventory(readFileSync(file, 'utf8'), name, {
    file,
    home: '/home/operator',
    read: (path) =>
      existsSync(path)
        ? { text: readFileSync(path, 'utf8') }
        : { problem: 'there is no such file' },
  });
  if (inventory.ok) throw new Error(`${name} has no mistake`);
  return inventory.text;
}

describe('a broken inventory gives the whole error text', () => {
  test('there are at least 40', () => {
    expect(names.length).toBeGreaterThanOrEqual(40);
  });

  test.each(names)('%s', (name) => {
    const file = join(folder, name.replace(/\.yaml$/, '.txt'));
    const text = errorText(name);
    if (!existsSync(file)) {
      writeFileSync(file, text);
      throw new Error(`${file} was missing; it is written now: read it`);
    }
    expect(text).toBe(readFileSync(file, 'utf8'));
  });
});
