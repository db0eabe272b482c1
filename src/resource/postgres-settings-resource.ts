import { createHash } from 'node:crypto';
import type { Settings } from '../inventory/cluster.js';
import type { Resource, State } from './kind.js';
import { literal } from './postgres-sql.js';
import { settingsFile, settingText } from './postgres-values.js';

export interface PostgresSettings extends Resource {
  readonly kind: 'postgresSettings';
  readonly version: number;
  readonly cluster: string;
  readonly settings: Settings;
}

/**
 * Settings of a cluster, in `conf.d/50-odoo-prov.conf` and live in the server: never in
 * `postgresql.auto.conf`, which pg_rewind copies. What needs a restart is restarted for, here: whether it
 * is still due is read off the server itself.
 */
export function postgresSettings(options: {
  readonly version: number;
  /** `main` if not given. */
  readonly cluster?: string;
  readonly settings: Settings;
}): PostgresSettings {
  const { version, cluster = 'main', settings } = options;
  return {
    kind: 'postgresSettings',
    id: `${String(version)}/${cluster}`,
    version,
    cluster,
    settings,
  };
}

/** Where it is, below the cluster's configuration. */
export const SETTINGS_FILE = 'conf.d/50-odoo-prov.conf';
/** The line of postgresql.conf, Debian's own, by which PostgreSQL reads it: its pattern, for grep -E. */
export function includePattern(resource: PostgresSettings): string {
  return `^[[:space:]]*include_dir[[:space:]]*=?[[:space:]]*'(${confOf(resource)}/)?conf\\.d/?'`;
}
/** What a primary without a standby puts over our settings for the time being; see templates/postgres/standby-loss.sh. */
export const ALONE_FILE = 'conf.d/60-odoo-prov-alone.conf';
/** What ALTER SYSTEM writes, in the data directory: over all else, and so drift whatever it says. */
export const AUTO_FILE = 'postgresql.auto.conf';

/**
 * Whether a row of pg_settings waits for a restart, as a condition. PostgreSQL goes on saying so of what stood in a file over
 * its default and was taken out again: there a restart would change nothing.
 */
export const PENDING = `(pending_restart and (source = 'configuration file'
  or lower(name) in (select lower(f.name) from pg_file_settings f)))`;

/** The state's word where nothing keeps a standby from replaying. */
export const REPLAYS = 'not held up';

/** Owner and mode of the file. */
export const SETTINGS_MODE = 'postgres:postgres 644';

/** Debian's folder for the configuration of the cluster. */
export function confOf({ version, cluster }: PostgresSettings): string {
  return `/etc/postgresql/${String(version)}/${cluster}`;
}

/** Debian's folder for its data. */
export function dataOf({ version, cluster }: PostgresSettings): string {
  return `/var/lib/postgresql/${String(version)}/${cluster}`;
}

/** Names of all their settings, as SQL literals in small letters, comma between. */
export function namesOf(wanted: readonly PostgresSettings[]): string {
  const all = wanted.flatMap(({ settings }) => Object.keys(settings));
  return [...new Set(all.map((name) => literal(name.toLowerCase())))].join(', ');
}

/** The content of the file, as a digest. */
export function contentOf(settings: Settings): string {
  return createHash('sha256').update(settingsFile(settings)).digest('hex');
}

/** The state in which everything is as wanted, and the server runs with it. */
export function wantedState({ settings }: PostgresSettings): State {
  const texts = Object.entries(settings).map(([name, value]) => [name, settingText(value)]);
  return {
    ...(Object.fromEntries(texts) as Record<string, string>),
    file: 'as wanted',
    mode: SETTINGS_MODE,
    pending_restart: 'none',
    errors: 'none',
    conf_d: 'read',
    altered: 'none',
    in_file: 'none',
    restart: 'done',
    replay: REPLAYS,
  };
}
