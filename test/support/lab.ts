import { createHash } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { labDown, labUp, type Lab, type LabSpec } from '../../src/lab/index.js';
import { repositoryRoot } from './repository.js';

/** Labs of the tests of one checkout; another checkout's have other names. */
export const TEST_LAB_PREFIX = `t${createHash('sha256').update(repositoryRoot).digest('hex').slice(0, 6)}-`;

/** Set by a developer who wants the hosts to stay for the next run. */
export const keepLabs = (process.env['ODOO_PROV_KEEP_LAB'] ?? '') !== '';

/** Options of `lab up`: a developer may have the labs of whole clusters made with another release than the usual one. */
export function labOptions(): readonly string[] {
  const debian = process.env['ODOO_PROV_TEST_DEBIAN'] ?? '';
  return debian === '' ? [] : ['--debian', debian];
}

/**
 * A lab for tests: made at first use, used again by every later file that asks for the same name, taken
 * down at the end of the whole run by `lab-teardown.ts`.
 * @param name says what it is for; short, letters and digits
 */
export async function testLab(name: string, spec: Omit<LabSpec, 'name'>): Promise<Lab> {
  return labUp({ ...spec, name: `${TEST_LAB_PREFIX}${name}` }, (line) => {
    process.stderr.write(`  lab: ${line}\n`);
  });
}

/**
 * The folder for inventory and keys of a test's lab, only for its owner; it goes and stays with the lab.
 * Always the same path, so that a kept lab is found again.
 * @param lab full name of the lab
 */
export function labFolder(lab: string): string {
  const folder = labFolderPath(lab);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}

/** Takes a test's lab down now, for suites that need many hosts for a short time. */
export async function testLabDown(name: string): Promise<void> {
  if (!keepLabs) await removeLab(`${TEST_LAB_PREFIX}${name}`);
}

/** Takes a lab down and removes its folder. @param lab its full name */
export async function removeLab(lab: string): Promise<void> {
  await labDown(lab);
  rmSync(labFolderPath(lab), { recursive: true, force: true });
}

function labFolderPath(lab: string): string {
  return join(tmpdir(), `odoo-prov-${lab}`);
}
