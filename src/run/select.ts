import { Failure } from '../failure/failure.js';
import type { Cluster, Host } from '../inventory/cluster.js';

/**
 * The hosts that `--limit` and `--role` choose.
 * @param patterns host names or globs; `!name` takes out; all must match something
 * @param roles hosts that carry one of them
 * @throws Failure naming a pattern or role that matches no host
 */
export function selectHosts(
  cluster: Cluster,
  patterns: readonly string[],
  roles: readonly string[],
): readonly Host[] {
  const names = cluster.hosts.map((host) => host.name);
  for (const pattern of patterns) {
    const glob = pattern.replace(/^!/, '');
    if (!names.some((name) => matchesGlob(name, glob))) {
      throw nothing(`--limit ${pattern}`, `one of: ${names.join(', ')}`);
    }
  }
  const withRole = (host: Host): boolean => rolesOf(host, cluster).some((r) => roles.includes(r));
  for (const role of roles) {
    const known = [...new Set(cluster.hosts.flatMap((host) => rolesOf(host, cluster)))];
    if (!known.includes(role)) {
      throw nothing(`--role ${role}`, `one of: ${known.join(', ')}`);
    }
  }
  const wanted = patterns.filter((pattern) => !pattern.startsWith('!'));
  const unwanted = patterns.filter((p) => p.startsWith('!')).map((p) => p.slice(1));
  const hosts = cluster.hosts.filter(
    (host) =>
      (wanted.length === 0 || wanted.some((glob) => matchesGlob(host.name, glob))) &&
      !unwanted.some((glob) => matchesGlob(host.name, glob)) &&
      (roles.length === 0 || withRole(host)),
  );
  if (hosts.length === 0) {
    const given = [
      ...(patterns.length > 0 ? [`--limit ${patterns.join(',')}`] : []),
      ...(roles.length > 0 ? [`--role ${roles.join(',')}`] : []),
    ];
    throw nothing(given.join(' with '), 'at least one host that is not taken out');
  }
  return hosts;
}

/** A host's roles, and `backup` for the one that keeps the backups. */
export function rolesOf(host: Host, cluster: Cluster): readonly string[] {
  return host.name === cluster.postgres.backup?.host ? [...host.roles, 'backup'] : host.roles;
}

function nothing(what: string, expected: string): Failure {
  return new Failure({
    reason: 'usage',
    message: `${what} matches no host of this inventory`,
    expected,
    found: 'none',
    remedy:
      'check the spelling; `odoo-prov apply FILE --list-hosts` shows every host and its roles',
  });
}

/** Whether a host name fits a pattern of names, `*` (any text) and `?` (one character). */
function matchesGlob(name: string, glob: string): boolean {
  const pattern = glob
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${pattern}$`).test(name);
}
