import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runNode } from './measure.js';
import { ROOT, TOOL, WORK } from './paths.js';

/** The inventory whose lab is the bench's own: the full example under another name. */
function ownInventory(): string {
  mkdirSync(WORK, { recursive: true });
  const full = readFileSync(join(ROOT, 'inventory', 'full.yaml'), 'utf8');
  const file = join(WORK, 'bench.yaml');
  writeFileSync(file, full.replace(/^cluster: .*$/m, 'cluster: bench'));
  return file;
}

/**
 * The bench's own lab, up and converged. The first time this takes as long as installing twelve hosts does;
 * later it is found as it was.
 * @returns the inventory that leads to its hosts
 */
export async function ownLab(): Promise<string> {
  const file = ownInventory();
  const up = await runNode([TOOL, 'lab', 'up', file]);
  const inventory = /odoo-prov apply (\S+)/.exec(up.output)?.[1];
  if (up.code !== 0 || inventory === undefined) throw new Error(`lab up failed:\n${up.output}`);
  if (!(await isConverged(inventory))) await attached(['rehearse', file, '--plain']);
  return inventory;
}

/** Removes the bench's own lab. */
export async function removeOwnLab(): Promise<void> {
  await attached(['lab', 'down', ownInventory()]);
}

/** Whether an apply would change nothing. */
export async function isConverged(inventory: string): Promise<boolean> {
  const args = [TOOL, 'apply', inventory, '--check', '--detailed-exitcode', '--plain'];
  const { code, output } = await runNode(args);
  if (code !== 0) process.stderr.write(output);
  return code === 0;
}

/** Runs the tool with its output shown. @throws Error when it fails */
async function attached(args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, [TOOL, ...args], { stdio: 'inherit' });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  if (code !== 0) throw new Error(`odoo-prov ${args.join(' ')} ended with ${String(code)}`);
}
