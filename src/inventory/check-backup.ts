import type { Place } from './build.js';
import { checkFile } from './check-file.js';
import { DATABASE_ROLES, type RoleName } from './cluster.js';
import { meantKey } from './explain.js';
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

/** A repository is on a host or in a bucket; what goes with the one makes no sense with the other. */
function oneRepository(view: View): Mistake[] {
  const section = view.at(...AT);
  if (!isRecord(section)) return [];
  const [host, s3] = [Object.hasOwn(section, 'host'), Object.hasOwn(section, 's3')];
  if (!host && !s3) {
    // A key that is mistyped is not missing as well.
    if (Object.keys(section).some((key) => ['host', 's3'].includes(meantKey(AT, key) ?? '')))
      return [];
    const message = 'where the backups go is not said';
    return [
      { path: AT, at: 'key', message, expected: 'host: NAME, or s3: { endpoint, bucket, region }' },
    ];
  }
  if (!s3) return [];
  const mistakes: Mistake[] = [];
  if (host) {
    const message = 'the backups go to one place: a host or a bucket';
    mistakes.push({ path: [...AT, 's3'], at: 'key', message, expected: 'either host or s3' });
  }
  if (Object.hasOwn(section, 'accept_same_host') && !host) {
    const message = 'there is nothing to accept: a bucket is on no host of this inventory';
    const expected = 'the key left out';
    mistakes.push({ path: [...AT, 'accept_same_host'], at: 'key', message, expected });
  }
  return mistakes;
}

/** The port of the endpoint, and the file that it names. */
function bucket(view: View, place: Place): Mistake[] {
  const at = [...AT, 's3', 'endpoint'];
  const endpoint = view.at(...at);
  const port = typeof endpoint === 'string' ? /:(\d+)$/.exec(endpoint)?.[1] : undefined;
  const mistakes: Mistake[] = [];
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65535)) {
    mistakes.push({
      path: at,
      at: 'value',
      message: `${port} is not a port`,
      expected: '1 to 65535',
    });
  }
  const ca = [...AT, 's3', 'ca'];
  return [
    ...mistakes,
    ...checkFile(view, place, ca, 'a PEM certificate', /-----BEGIN CERTIFICATE-----/),
  ];
}

/** Where the repository lies, and that nothing else archives. */
export function checkBackup(view: View, place: Place): Mistake[] {
  return [
    ...oneRepository(view),
    ...bucket(view, place),
    ...repositoryHost(view),
    ...archiveSettings(view),
  ];
}
