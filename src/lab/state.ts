import { readFileSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';

import { exists, readIfThere, writeWhole } from './files.js';
import { labFailure } from './lab-failure.js';
import { requireLinuxRoot } from './machine.js';
import { labPaths, labsDirectory } from './paths.js';
import type { LabHostSpec, Release } from './spec.js';

/** A host as recorded: what it was asked to be, and what it got. */
export interface HostState extends LabHostSpec {
  readonly address: string;
  /** Its number in the subnet, from 1: machine and link names are made of it. */
  readonly number: number;
  /** Names of its snapshot layers, the newest first; the base image is below them. */
  readonly layers: readonly string[];
}

/** What is recorded of a lab, before anything of it is made, so that a crash leaves nothing unknown. */
export interface LabState {
  readonly name: string;
  readonly subnet: string;
  readonly gateway: string;
  /** Its bridge; nft table, control group and links are named by it. */
  readonly bridge: string;
  readonly release: Release;
  /** Folder of the base image. */
  readonly base: string;
  readonly hosts: readonly HostState[];
  /** Snapshot name → host → its layers at that time. */
  readonly snapshots: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}

/** The recorded state; undefined if there is no such lab. */
export async function readState(lab: string): Promise<LabState | undefined> {
  requireLinuxRoot();
  const text = await readIfThere(labPaths(lab).state);
  return text === '' ? undefined : (JSON.parse(text) as LabState);
}

/** @throws Failure lab when there is no such lab */
export async function requireState(lab: string): Promise<LabState> {
  const state = await readState(lab);
  if (state === undefined) throw noSuchLab(lab);
  return state;
}

/** The same at once, for callers that only make a command line of it. */
export function requireStateSync(lab: string): LabState {
  requireLinuxRoot();
  try {
    return JSON.parse(readFileSync(labPaths(lab).state, 'utf8')) as LabState;
  } catch (error) {
    throw noSuchLab(lab, error);
  }
}

/** @throws Failure lab when the lab has no such host */
export function requireHost(state: LabState, host: string): HostState {
  const found = state.hosts.find((each) => each.name === host);
  if (found !== undefined) return found;
  throw labFailure(`the lab ${state.name} has no host ${host}`, {
    expected: `one of ${state.hosts.map((each) => each.name).join(', ')}`,
    found: host,
    remedy: 'correct the name, or add the host and bring the lab up again',
  });
}

/** Records a lab, readable by root only. */
export async function writeState(state: LabState): Promise<void> {
  const paths = labPaths(state.name);
  await mkdir(paths.directory, { recursive: true, mode: 0o700 });
  await writeWhole(paths.state, `${JSON.stringify(state, null, 2)}\n`);
}

/** The names of all recorded labs. */
export async function recordedLabs(): Promise<string[]> {
  requireLinuxRoot();
  if (!(await exists(labsDirectory()))) return [];
  const names = (await readdir(labsDirectory())).sort();
  const recorded: string[] = [];
  for (const name of names) if (await exists(labPaths(name).state)) recorded.push(name);
  return recorded;
}

function noSuchLab(lab: string, cause?: unknown): Error {
  return labFailure(`there is no lab named ${lab}`, {
    expected: labPaths(lab).state,
    found: 'no such file',
    remedy: 'odoo-prov lab list shows the labs of this machine; odoo-prov lab up makes one',
    cause,
  });
}
