import {
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { Failure } from '../failure/failure.js';

const schema = z.object({
  postgres: z
    .object({
      systemIdentifier: z.string(),
      /** Who was primary when it was last seen. */
      primary: z.string().optional(),
    })
    .optional(),
  odoo: z.object({ database: z.string() }).optional(),
  /** Of which secrets a copy lies beside the backups, and on which host. */
  recoveryCopy: z.object({ fingerprint: z.string(), host: z.string() }).optional(),
  facts: z.record(
    z.string(),
    z.object({
      memory: z.number(),
      cores: z.number(),
      debian: z.number(),
      codename: z.string(),
      container: z.boolean(),
      mirror: z.string(),
    }),
  ),
});

/**
 * What is remembered of a cluster between runs, beside its inventory. Without it everything still works,
 * but for one thing: it is the proof that data existed, so that no empty database is ever made in its place.
 */
export type ClusterState = z.infer<typeof schema>;

/** Where a cluster's state is kept: `acme.yaml` has `acme.state.json`. */
export function statePath(inventory: string): string {
  return `${inventory.replace(/\.ya?ml$/, '')}.state.json`;
}

/**
 * Reads the state beside an inventory; an empty one if there is none.
 * @throws Failure when the file is there but is not ours or is damaged
 */
export function readState(inventory: string): ClusterState {
  const path = statePath(inventory);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return { facts: {} };
    throw new Failure({
      reason: 'usage',
      message: `${path} cannot be read`,
      expected: "the cluster's state, readable for you",
      found: error instanceof Error ? error.message : String(error),
      remedy: 'look at its owner and mode, and those of its folder',
      cause: error,
    });
  }
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new Failure({
      reason: 'usage',
      message: `${path} cannot be read as a cluster's state`,
      expected: 'the JSON file that odoo-prov wrote at an earlier run',
      found: cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause),
      remedy: `restore it from your version control. Remove it only if this cluster never held data: it is what keeps a lost database from being replaced by an empty one`,
      cause,
    });
  }
}

/**
 * Writes the state: temporary file, fsync, rename. What is there already, or says nothing, is not written:
 * a run that reached no host leaves no file.
 * @throws Failure where there is no room or no right to
 */
export function writeState(inventory: string, state: ClusterState): void {
  if (isDeepStrictEqual(state, readState(inventory))) return;
  const path = statePath(inventory);
  const temporary = `${path}.${String(process.pid)}.tmp`;
  try {
    const file = openSync(temporary, 'w', 0o644);
    try {
      writeSync(file, `${JSON.stringify(state, null, 2)}\n`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (cause) {
    rmSync(temporary, { force: true });
    throw new Failure({
      reason: 'usage',
      message: `${path} cannot be written`,
      expected: 'room and the right to write beside the inventory',
      found: cause instanceof Error ? cause.message : String(cause),
      remedy: 'mend that and run this again: it finds what was done on the hosts, which stays',
      cause,
    });
  }
}
