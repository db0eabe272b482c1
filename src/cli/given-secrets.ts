import { Failure } from '../failure/failure.js';
import type { Cluster } from '../inventory/index.js';
import { givenSecretsOf, S3_KEY, S3_SECRET } from '../postgres/bucket.js';
import { secretsMissing } from '../run/guard.js';
import { openSecrets, type SecretStore } from '../secrets/index.js';
import type { Secret } from '../shell/index.js';

/*
 * Secrets that the operator sets: one that is changed elsewhere, and those that somebody else gives out.
 */

/** What people set: that one, and what somebody else gives out. All others are changed on the hosts by apply alone. */
export const SETTABLE: Readonly<Record<string, string>> = {
  'odoo-admin-password': "what Odoo's user admin logs in with, after it was changed in Odoo",
  [S3_KEY]: 'the key id for the bucket of the backups',
  [S3_SECRET]: 'its secret',
};

/**
 * That all are there that this cluster needs. A store makes up what it does not have, which no bucket would admit.
 * @throws Failure usage, before anybody is contacted
 */
export function needGivenSecrets(cluster: Cluster, store: SecretStore, file: string): void {
  const missing = givenSecretsOf(cluster).filter((name) => store.find(name) === undefined);
  if (missing.length === 0) return;
  throw new Failure({
    reason: 'usage',
    message: `the bucket of the backups needs ${missing.join(' and ')}`,
    expected: `in ${store.file}: the key that its keeper gave you`,
    found: 'not set',
    remedy: missing.map((name) => `odoo-prov secrets ${file} set ${name}`).join(', then '),
  });
}

/**
 * Whether a store holds nothing but what an operator can set: a cluster's own secrets are not in it, were never made or
 * are lost.
 */
export function holdsNoSecrets(store: SecretStore): boolean {
  return store.names().every((name) => Object.hasOwn(SETTABLE, name));
}

/**
 * The secrets with which a cluster was set up, for what only makes sense with them.
 * @throws Failure refused where they are missing: those that a store makes up open nothing
 */
export async function openClusterSecrets(cluster: Cluster): Promise<SecretStore> {
  const store = await openSecrets(cluster.file, { dryRun: true });
  if (holdsNoSecrets(store)) throw secretsMissing(`no secret of ${cluster.name} in ${store.file}`);
  needGivenSecrets(cluster, store, cluster.file);
  return store;
}

/** Takes what a copy of the secrets holds. What the operator has set stays: the key of a bucket may be another one since. */
export function takeCopy(store: SecretStore, copy: ReadonlyMap<string, Secret>): void {
  for (const [name, value] of copy) {
    if (store.find(name) === undefined) store.set(name, value);
  }
}

/** @throws Failure usage for what would not survive a line of a configuration file */
export function checkGiven(name: string, value: Secret): void {
  if (/^[\x21-\x7e]{3,}$/.test(value.reveal())) return;
  throw new Failure({
    reason: 'usage',
    message: `that is no ${name}`,
    expected: 'at least 3 letters, digits and signs on one line, without blanks',
    remedy: 'copy it once more from where it was given out',
  });
}
