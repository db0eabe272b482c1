import { LOG_FOLDER } from '../postgres/settings.js';
import { AUTO_FILE, SETTINGS_FILE } from '../resource/index.js';
import { problem, warning, type Alert } from './alert.js';
import type { PostgresServer } from './postgres.js';
import { list } from './words.js';

const APPLY = 'odoo-prov apply FILE';

/** What a server runs with, or would start with, and should not. */
export function configurationRules(host: string, server: PostgresServer): readonly Alert[] {
  const { own, errors, doors, off, unread } = server.configuration;
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
  if (doors.length > 0) {
    alerts.push(
      problem({
        id: 'postgres.doors',
        host,
        message: `PostgreSQL on ${host} lets clients in without a password or without TLS, from its last or next reload on: ${doors.join('; ')}`,
        next: `${APPLY} takes that out; its log in ${LOG_FOLDER} may say who came in by it`,
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
  if (unread.length > 0) {
    alerts.push(
      warning({
        id: 'postgres.unread',
        host,
        message: `PostgreSQL on ${host} takes in ${list(unread)} of ${AUTO_FILE} with its next reload or start: somebody used ALTER SYSTEM`,
        next: `${APPLY} takes it out again before that; ${APPLY} --check shows the values`,
      }),
    );
  }
  // Where its file is not read, all that it said waits to be taken back.
  return own ? [...alerts, ...waitingRules(host, server)] : alerts;
}

/** A restart takes in what stands in the last file: it helps only where that is what is wanted. */
function waitingRules(host: string, server: PostgresServer): readonly Alert[] {
  const { waiting, over } = server.configuration;
  const plain = waiting.filter((name) => !over.some((one) => one.name === name));
  const theirs = over.filter(({ file }) => !isAuto(file));
  const altered = over.filter(({ file }) => isAuto(file));
  const words = { id: 'postgres.restart', host };
  const waits = `PostgreSQL on ${host} waits for a restart to take in`;
  const restart = server.recovering ? APPLY : `${APPLY} --restart-primary (users wait meanwhile)`;
  return [
    ...(plain.length === 0
      ? []
      : [warning({ ...words, message: `${waits} ${list(plain)}`, next: restart })]),
    ...(theirs.length === 0
      ? []
      : [
          warning({
            ...words,
            message: `${waits} ${list(theirs.map(placed))}, which is read after odoo-prov's own file`,
            next: `take it out there, or set it in the inventory (postgres.settings) as well; then ${APPLY}. A restart before that takes in the other value`,
          }),
        ]),
    ...(altered.length === 0
      ? []
      : [
          warning({
            ...words,
            message: `${waits} ${list(altered.map(placed))}: somebody used ALTER SYSTEM`,
            next: `${APPLY} takes it out again, without a restart`,
          }),
        ]),
  ];
}

function isAuto(file: string): boolean {
  return file.endsWith(`/${AUTO_FILE}`);
}

function placed({ name, file, line }: PostgresServer['configuration']['over'][number]): string {
  return `${name} of ${file} line ${String(line)}`;
}
