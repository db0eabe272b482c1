import { SERVICES } from '../../src/inventory/roles.js';
import { aptPackage, directory, file, locale, sysctl, unit } from '../../src/resource/index.js';
import type { Resource } from '../../src/resource/kind.js';
import type { RoleDefinition, Site } from '../../src/role/role.js';

/**
 * Kernel settings of every host. A peer that vanished without a word (power, network) is noticed after
 * 30 + 3 × 5 s on idle connections instead of two hours, and after about 100 s (RFC 1122's least) instead
 * of 15 minutes on those that are sending: failover is no use to a process that waits for a dead server.
 */
const SYSCTLS: Readonly<Record<string, number>> = {
  'net.ipv4.tcp_keepalive_time': 30,
  'net.ipv4.tcp_keepalive_intvl': 5,
  'net.ipv4.tcp_keepalive_probes': 3,
  'net.ipv4.tcp_retries2': 8,
  // Databases and workers: give up cached files before memory that is in use.
  'vm.swappiness': 10,
};

/** What every host of a cluster has, whatever else it does. */
export const base: RoleDefinition = {
  name: 'base',
  summary: 'every host: clock, locale, kernel settings, unattended security updates',
  after: [],
  on: () => true,

  install: (site) => [
    aptPackage({ name: 'locales' }),
    aptPackage({ name: 'ca-certificates' }),
    aptPackage({ name: 'unattended-upgrades' }),
    // Takes the place of another time daemon: one is enough, and two would fight.
    ...(site.facts.container ? [] : [aptPackage({ name: 'systemd-timesyncd' })]),
  ],

  configure: (site) => [
    directory({ path: '/var/lib/odoo-prov', mode: '0700' }),
    locale('en_US.UTF-8'),
    ...clock(site),
    ...Object.entries(SYSCTLS).map(([key, value]) => sysctl({ key, value })),
    ...securityUpdates(site),
  ],
};

/** A container has its machine's clock and may not set it. */
function clock({ facts }: Site): readonly Resource[] {
  return facts.container ? [] : [unit({ name: 'systemd-timesyncd' })];
}

/** Security updates come by themselves; those of the cluster's own services are a rolling step of ours. */
function securityUpdates(site: Site): readonly Resource[] {
  return [
    file({
      path: '/etc/apt/apt.conf.d/52odoo-prov',
      content: site.template('base/unattended-upgrades.hbs', { services: SERVICES }),
      validate: 'apt-config -c {} dump >/dev/null',
    }),
    unit({ name: 'apt-daily.timer' }),
    unit({ name: 'apt-daily-upgrade.timer' }),
    // Read by needrestart where an operator has it; it is not installed by us.
    directory({ path: '/etc/needrestart/conf.d' }),
    file({
      path: '/etc/needrestart/conf.d/50-odoo-prov.conf',
      content: site.template('base/needrestart.hbs', { services: SERVICES }),
    }),
  ];
}
