import type { Resource } from '../resource/kind.js';
import { DATABASE_ROLES } from '../inventory/cluster.js';
import { file, unit } from '../resource/index.js';
import type { Declaration } from './collect.js';

/** Where each host keeps what it was given: a line `role unit` for every unit of every role. */
export const GIVEN_PATH = '/var/lib/odoo-prov/given';

/** A unit that a role brought. */
export interface Given {
  readonly role: string;
  readonly unit: string;
}

/**
 * What a unit is recorded under. The database roles change hosts with every promotion; what they bring is
 * the same.
 */
function owner(role: string): string {
  return (DATABASE_ROLES as readonly string[]).includes(role) ? 'postgres' : role;
}

/** Reads the record; lines that are none are ignored, since an operator may have touched it. */
export function parseGiven(text: string): readonly Given[] {
  return text.split('\n').flatMap((line) => {
    const [role, name] = line.split(' ');
    return role !== undefined && role !== '' && name !== undefined
      ? [{ role: owner(role), unit: name }]
      : [];
  });
}

/** What was given by roles that the host no longer has. */
export function leftOver(given: readonly Given[], declaration: Declaration): readonly Given[] {
  const roles = new Set(declaration.stages.map((s) => owner(s.stage)));
  return given.filter((entry) => !roles.has(entry.role));
}

/**
 * The declaration with the record of what is given. What removed roles left stays on record until it is
 * pruned; when it is, their units are stopped and disabled first, and their data is kept.
 */
export function withRecord(
  declaration: Declaration,
  given: readonly Given[],
  prune: boolean,
): Declaration {
  const wanted = declaration.stages.flatMap(({ stage, resources }) =>
    resources.filter(runs).map((resource): Given => ({ role: owner(stage), unit: resource.id })),
  );
  const left = leftOver(given, declaration);
  if (!prune || left.length === 0) {
    const [install, ...rest] = declaration.stages;
    const resources = [record([...wanted, ...left]), ...(install?.resources ?? [])];
    return { ...declaration, stages: [{ stage: 'install', resources }, ...rest] };
  }
  const unwanted = left.filter((entry) => !wanted.some((own) => own.unit === entry.unit));
  const names = [...new Set(unwanted.map((entry) => entry.unit))];
  const stops = names.map((name) => unit({ name, running: false, enabled: false }));
  return {
    ...declaration,
    stages: [...declaration.stages, { stage: 'prune', resources: [...stops, record(wanted)] }],
  };
}

function runs(resource: Resource): boolean {
  return resource.kind === 'unit' && 'running' in resource && resource['running'] === true;
}

function record(entries: readonly Given[]): Resource {
  const text = entries.map((entry) => `${entry.role} ${entry.unit}\n`);
  return file({ path: GIVEN_PATH, content: [...new Set(text)].sort().join(''), mode: '0600' });
}
