import type { Cluster } from '../../src/inventory/cluster.js';
import {
  initialisingHost,
  filestoreMarker,
  ODOO_CONFIG_FOLDER,
  ODOO_HOME,
  ODOO_UID,
  ODOO_USER,
  odooHosts,
  odooPackage,
} from '../../src/odoo/layout.js';
import { filestoreFolders } from '../../src/odoo/service.js';
import { sessionModuleFiles } from '../../src/odoo/session-module.js';
import {
  aptKey,
  aptPackage,
  aptSource,
  directory,
  file,
  group,
  unit,
  user,
} from '../../src/resource/index.js';
import type { Resource } from '../../src/resource/kind.js';
import type { RoleDefinition, Site } from '../../src/role/role.js';

const NIGHTLY_KEY = '/usr/share/keyrings/odoo-nightly.asc';
/**
 * "Odoo SA, Linux Package Signing Key". Odoo publishes the key at https://nightly.odoo.com/odoo.key, the
 * fingerprint nowhere; apt named it for that repository in github.com/odoo/odoo/issues/20285.
 */
const NIGHTLY_FINGERPRINT = '5D134C924CB06330DCEFE2A1DEF2A2198183CBB5';

/** What every host that runs a part of Odoo has: the software, its user, its folders. Nothing runs yet. */
export const odoo: RoleDefinition = {
  name: 'odoo',
  summary: 'Odoo itself, on every app, cron and gevent host: package, user, folders',
  after: ['base'],
  on: (host, cluster) => odooHosts(cluster).includes(host),

  install: (site) => [
    group({ name: ODOO_USER, gid: ODOO_UID }),
    user({ name: ODOO_USER, uid: ODOO_UID, home: ODOO_HOME }),
    // Before the package: it would start at once, on all addresses, with default passwords.
    unit({ name: 'odoo.service', masked: true, running: false }),
    ...packageSource(site),
    aptPackage({ name: 'postgresql-client' }),
    aptPackage({ name: 'curl' }),
    ...(site.cluster.odoo.sessions === 'redis' ? [aptPackage({ name: 'python3-redis' })] : []),
    aptPackage({ name: odooPackage(site.cluster) }),
  ],

  configure(site) {
    const { path } = site.cluster.filestore;
    const { group: reader, dataMode, filestoreMode } = filestoreFolders(site);
    const home = { path: ODOO_HOME, owner: ODOO_USER, group: ODOO_USER, mode: '0750' };
    return [
      ...(path === ODOO_HOME ? [] : [directory(home)]),
      directory({ path, owner: ODOO_USER, group: reader, mode: dataMode }),
      directory({
        path: `${path}/filestore`,
        owner: ODOO_USER,
        group: reader,
        mode: filestoreMode,
      }),
      directory({ path: ODOO_CONFIG_FOLDER }),
      ...marker(site, reader),
      ...(site.cluster.odoo.sessions === 'redis' ? sessionModuleFiles(site) : []),
    ];
  },
};

/** Written into a shared filestore by one host, so that the others can tell that it is the same one. */
function marker({ cluster, host }: Site, reader: string): readonly Resource[] {
  if (cluster.filestore.type !== 'posix' || host !== initialisingHost(cluster)) return [];
  return [
    file({
      path: filestoreMarker(cluster),
      content: `${cluster.name}\n`,
      owner: ODOO_USER,
      group: reader,
      mode: '0640',
    }),
  ];
}

function packageSource({ cluster, facts }: Site): readonly Resource[] {
  const { source } = cluster.odoo;
  switch (source.type) {
    case 'nightly':
      return nightly(cluster);
    case 'debian':
      return [
        aptSource({
          name: 'odoo-prov-sid',
          uris: [facts.mirror],
          suites: ['sid'],
          components: ['main'],
          // Unstable has no fixed release: a mirror that lags some days is no attack.
          options: { 'Check-Valid-Until': 'no' },
          // Below Debian's own 500: only what the stable release lacks comes from unstable.
          pin: { pin: 'release n=sid', priority: 100 },
        }),
      ];
    case 'apt':
      return [
        aptSource({
          name: 'odoo-prov-odoo',
          uris: [source.uri],
          suites: [source.suite],
          components: source.components,
          key: source.key,
        }),
      ];
  }
}

/** Odoo's own repository, which may bring Odoo and nothing else. */
function nightly(cluster: Cluster): readonly Resource[] {
  const origin = 'origin "nightly.odoo.com"';
  return [
    aptPackage({ name: 'ca-certificates' }),
    aptPackage({ name: 'curl' }),
    aptPackage({ name: 'gpg' }),
    aptKey({
      path: NIGHTLY_KEY,
      url: 'https://nightly.odoo.com/odoo.key',
      fingerprint: NIGHTLY_FINGERPRINT,
    }),
    aptSource({
      name: 'odoo-prov-nightly',
      uris: [`https://nightly.odoo.com/${cluster.odoo.version}/nightly/deb/`],
      suites: ['./'],
      components: [],
      options: { 'Signed-By': NIGHTLY_KEY },
      pin: [
        { pin: origin, priority: -1 },
        { packages: 'odoo', pin: origin, priority: 500 },
      ],
    }),
  ];
}
