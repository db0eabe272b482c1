import { SETTINGS_FILE } from '../resource/index.js';
import { problem, warning, type Alert } from './alert.js';
import type { PostgresServer } from './postgres.js';
import { list } from './words.js';

const APPLY = 'odoo-prov apply FILE';

/** What a server runs with, or would start with, and should not. */
export function configurationRules(host: string, server: PostgresServer): readonly Alert[] {
  const { own, errors, off, waiting } = server.configuration;
  const alerts: Alert[] = [];
  // After a line that it does not understand, PostgreSQL says nothing of the files behind it.
  if (!own && errors.length === 0) {
    alerts.push(
      problem({
        id: 'postgres.settings',
        host,
        message: `PostgreSQL on ${host} does not read its settings: ${SETTINGS_FILE} is gone, or postgresql.conf does not include it`,
        next: `${APPLY} puts it back; a reload or start before that leaves the server with PostgreSQL's defaults`,
      }),
    );
  }
  if (errors.length > 0) {
    alerts.push(
      problem({
        id: 'postgres.file',
        host,
        message: `PostgreSQL on ${host} would not start again: ${errors.join('; ')}`,
        next: `${APPLY} mends the files that are its own, and names the others`,
      }),
    );
  }
  if (off.length > 0) {
    alerts.push(
      problem({
        id: 'postgres.off',
        host,
        message: `PostgreSQL on ${host} runs with ${list(off)}`,
        next: `${APPLY} --check names who says so; ${APPLY}`,
      }),
    );
  }
  // Where its file is not read, all that it said waits to be taken back.
  if (own && waiting.length > 0) {
    const restart = server.recovering ? APPLY : `${APPLY} --restart-primary (users wait meanwhile)`;
    alerts.push(
      warning({
        id: 'postgres.restart',
        host,
        message: `PostgreSQL on ${host} waits for a restart to take in ${list(waiting)}`,
        next: restart,
      }),
    );
  }
  return alerts;
}
