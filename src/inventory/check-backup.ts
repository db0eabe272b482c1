import { DATABASE_ROLES, type RoleName } from './cluster.js';
import { isRecord, type HostView, type View } from './view.js';
import type { Mistake } from './source.js';
import { didYouMean, show } from './words.js';

const ODOO: readonly RoleName[] = ['app', 'cron', 'gevent'];
const AT = ['postgres', 'backup'] as const;

/** Settings that pgBackRest's archive decides where there is one. */
const ARCHIVE_SETTINGS: readonly string[] = [
  'archive_mode',
  'archive_command',
  'archive_library',
  'restore_command',
];

/** What a host holds that the backups are there for; undefined if nothing. */
function holds(view: View, host: HostView): string | undefined {
  const roles = host.roles.map(({ role }) => role);
  if (DATABASE_ROLES.some((role) => roles.includes(role))) return 'a database host';
  const local = view.filestore === undefined || view.filestore === 'local';
  const files = roles.includes('nfs-filestore') || (local && roles.some((r) => ODOO.includes(r)));
  return files ? 'the host of the filestore' : undefined;
}

function repositoryHost(view: View): Mistake[] {
  const name = view.at(...AT, 'host');
  if (typeof name !== 'string') return [];
  const path = [...AT, 'host'];
  const host = view.hosts.find((each) => each.name === name);
  if (host === undefined) {
    const names = view.hosts.map((each) => each.name);
    const message = `there is no host ${show(name)}${didYouMean(name, names)}`;
    const expected = `one of: ${names.join(', ')}`;
    return [{ path, at: 'value', message, expected }];
  }
  const what = holds(view, host);
  const accepted = view.at(...AT, 'accept_same_host') === true;
  if (what === undefined && accepted) {
    const message = `there is nothing to accept: ${name} holds no data of its own`;
    const at = [...AT, 'accept_same_host'];
    return [{ path: at, at: 'key', severity: 'warning', message, expected: 'the key left out' }];
  }
  if (what === undefined || accepted) return [];
  const message = `"${name}" is ${what}: with it the backups would be lost too`;
  const expected = 'a host of its own, or accept_same_host: true beside it';
  return [{ path, at: 'value', message, expected }];
}

function archiveSettings(view: View): Mistake[] {
  const settings = view.at('postgres', 'settings');
  if (!isRecord(view.at(...AT)) || !isRecord(settings)) return [];
  return Object.keys(settings)
    .filter((key) => ARCHIVE_SETTINGS.includes(key.toLowerCase()))
    .map((key): Mistake => ({
      path: ['postgres', 'settings', key],
      at: 'key',
      message: `${key} is not yours to set: postgres.backup archives by pgBackRest`,
      expected: 'the key left out',
    }));
}

/** Where the repository lies, and that nothing else archives. */
export function checkBackup(view: View): Mistake[] {
  return [...repositoryHost(view), ...archiveSettings(view)];
}
