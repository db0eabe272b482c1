import { DATABASE_ROLES } from './cluster.js';
import { ODOO_ROLES, roleFacts, type RoleName, SUPPORTED_ROLES } from './roles.js';
import type { Mistake } from './source.js';
import type { HostView, View } from './view.js';

const REQUIRED = SUPPORTED_ROLES.filter((role) => roleFacts(role)?.required === true);

function has(host: HostView, role: RoleName): boolean {
  return host.roles.some((given) => given.role === role);
}

function carriers(view: View, role: RoleName): readonly HostView[] {
  return view.hosts.filter((host) => has(host, role));
}

function sameNames(view: View): Mistake[] {
  const seen = new Map<string, string>();
  return view.hosts.flatMap((host): Mistake[] => {
    const first = seen.get(host.name.toLowerCase());
    if (first === undefined) {
      seen.set(host.name.toLowerCase(), host.name);
      return [];
    }
    const message = `host "${host.name}" differs from "${first}" only in case`;
    return [{ path: host.path, at: 'key', message, expected: 'names that differ in any case' }];
  });
}

function sameAddresses(view: View): Mistake[] {
  const seen = new Map<string, string>();
  return view.hosts.flatMap((host): Mistake[] => {
    if (host.address === undefined) return [];
    const first = seen.get(host.address);
    const path = [...host.path, 'address'];
    if (first !== undefined) {
      const message = `${host.address} is the address of "${first}" already`;
      // The SSH port makes no difference: hosts also reach one another by this address.
      return [{ path, at: 'value', message, expected: 'an address of its own' }];
    }
    seen.set(host.address, host.name);
    if (host.address.startsWith('127.') && view.hosts.length > 1) {
      const message = `${host.address} is every host's own address: the others cannot reach it`;
      return [{ path, at: 'value', message, expected: 'the address that the others reach it by' }];
    }
    return [];
  });
}

function roleLists(view: View): Mistake[] {
  return view.hosts.flatMap((host) => {
    // Beside the role itself its typo is something else that was meant, and told as unknown already.
    const named = host.roles.filter(({ typo }) => !typo);
    const twice = named.filter(
      ({ role }, index) => named.findIndex((other) => other.role === role) < index,
    );
    const mistakes = twice.map(({ role, path }): Mistake => {
      const message = `this host has the role "${role}" already`;
      return { path, at: 'value', message, expected: 'each role once' };
    });
    if (host.weighted && host.roles.length > 0 && !has(host, 'app')) {
      const message = 'weight is for app hosts: it does nothing here';
      const expected = 'no weight';
      mistakes.push({
        path: [...host.path, 'weight'],
        at: 'key',
        severity: 'warning',
        message,
        expected,
      });
    }
    return mistakes;
  });
}

/** PostgreSQL's roles are copies of one database: a host holds one of them. */
function databasesTogether(view: View): Mistake[] {
  return view.hosts.flatMap((host) => {
    const [first, ...more] = DATABASE_ROLES.flatMap((role) =>
      host.roles.filter((given) => given.role === role).slice(0, 1),
    );
    return more.map(({ role, path }): Mistake => {
      const message = `${role} on the host that is ${first?.role ?? ''} already`;
      return { path, at: 'value', message, expected: 'a host of its own for each copy' };
    });
  });
}

/** What a commit is to wait for must exist. */
function synchronousStandbys(view: View): Mistake[] {
  const wanted = view.at('postgres', 'replication', 'synchronous');
  if (view.rolesUnclear || (wanted !== 'on' && wanted !== 'remote_apply')) return [];
  if (carriers(view, 'pg-standby').length > 0) return [];
  const path = ['postgres', 'replication', 'synchronous'];
  const message = `synchronous: ${wanted}, and no host has the role "pg-standby": no commit would ever end`;
  return [{ path, at: 'value', message, expected: 'off, or a host with roles: [pg-standby]' }];
}

function singles(view: View): Mistake[] {
  return SUPPORTED_ROLES.flatMap((role) => {
    const expected = roleFacts(role)?.single;
    if (expected === undefined) return [];
    const [first, ...more] = carriers(view, role);
    return more.flatMap((host) =>
      host.roles
        .filter((given) => given.role === role)
        .slice(0, 1)
        .map(({ path }): Mistake => {
          const message = `a second ${role}: "${first?.name ?? ''}" is one already`;
          return { path, at: 'value', message, expected };
        }),
    );
  });
}

function missing(view: View): Mistake[] {
  if (view.rolesUnclear) return [];
  const required = view.sessions === 'redis' ? [...REQUIRED, 'redis' as const] : REQUIRED;
  return required
    .filter((role) => carriers(view, role).length === 0)
    .map((role): Mistake => {
      const why = role === 'redis' ? ', and sessions are to be in redis' : '';
      const message = `no host has the role "${role}"${why}`;
      return { path: ['hosts'], at: 'key', message, expected: `a host with roles: [${role}]` };
    });
}

/** Attachments and sessions in files need one place that all Odoo hosts see. */
function sharedFiles(view: View): Mistake[] {
  const odoo = view.hosts.filter((host) => ODOO_ROLES.some((role) => has(host, role)));
  if (odoo.length < 2) return [];
  const names = odoo.map(({ name }) => name).join(', ');
  const shared = '{ type: posix, path: … }, a mount that all of them share';
  if (view.at('filestore') === undefined || view.at('filestore') === null) {
    const message = `no filestore, and ${odoo.length} hosts run Odoo (${names})`;
    return [{ path: ['hosts'], at: 'key', message, expected: `filestore: ${shared}` }];
  }
  if (view.filestore !== 'local') return [];
  const message = `a local filestore, and ${odoo.length} hosts run Odoo (${names})`;
  const mistakes: Mistake[] = [
    { path: ['filestore', 'type'], at: 'value', message, expected: `filestore: ${shared}` },
  ];
  if (view.sessions === 'files') {
    mistakes.push({
      path: ['odoo', 'sessions'],
      at: 'value',
      message: `sessions in files of a local filestore, and ${odoo.length} hosts run Odoo`,
      expected: 'redis, or a shared filestore',
    });
  }
  return mistakes;
}

function idleRedis(view: View): Mistake[] {
  if (view.sessions !== 'files') return [];
  return carriers(view, 'redis').flatMap((host) =>
    host.roles
      .filter(({ role }) => role === 'redis')
      .map(({ path }): Mistake => {
        const message = 'nothing uses this redis: sessions are in files';
        return { path, at: 'value', severity: 'warning', message, expected: 'sessions: redis' };
      }),
  );
}

function none(view: View): Mistake[] {
  const hosts = view.at('hosts');
  const empty = typeof hosts === 'object' && hosts !== null && Object.keys(hosts).length === 0;
  if (!empty || Array.isArray(hosts)) return [];
  return [
    { path: ['hosts'], at: 'key', message: 'there are no hosts', expected: 'at least one host' },
  ];
}

/** Mistakes that only show when hosts are looked at together. */
export function checkHosts(view: View): Mistake[] {
  if (view.hosts.length === 0) return none(view);
  return [
    sameNames,
    sameAddresses,
    roleLists,
    singles,
    databasesTogether,
    synchronousStandbys,
    missing,
    sharedFiles,
    idleRedis,
  ].flatMap((check) => check(view));
}
