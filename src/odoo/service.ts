import { check, file, keyOf, unit } from '../resource/index.js';
import type { Resource } from '../resource/kind.js';
import type { Site } from '../role/role.js';
import type { Secret } from '../shell/index.js';
import {
  configPath,
  edgeServesFilestore,
  filestoreMarker,
  majorVersion,
  ODOO_CONFIG_FOLDER,
  ODOO_HOME,
  ODOO_USER,
  odooPackage,
  unitName,
  type OdooService,
} from './layout.js';
import {
  JOB_LIMIT,
  optionText,
  REQUEST_LIMIT,
  serviceOptions,
  type OdooOptions,
} from './options.js';
import { busModuleFiles } from './bus-module.js';
import { sessionModuleFiles } from './session-module.js';

/** Read by libpq: see the template. */
export const PG_SERVICE_FILE = `${ODOO_CONFIG_FOLDER}/pg_service.conf`;
export const PG_SERVICE = 'odoo';

/** What differs from service to service, beside the options. */
const DETAILS: Readonly<
  Record<
    OdooService,
    { readonly description: string; readonly command: string; readonly stop: number }
  >
> = {
  app: { description: 'Odoo HTTP workers', command: '', stop: REQUEST_LIMIT + 30 },
  cron: { description: 'Odoo scheduled jobs', command: '', stop: JOB_LIMIT + 30 },
  gevent: { description: 'Odoo websockets', command: 'gevent ', stop: 60 },
};

/** The text of an odoo.conf. A secret, for it holds passwords. */
export function configText(site: Site, purpose: string, options: OdooOptions): string | Secret {
  const rows = Object.entries(options).map(([key, value]) => ({ key, value: optionText(value) }));
  return site.template('odoo/odoo.conf.hbs', { cluster: site.cluster.name, purpose, rows });
}

/** A file that root and Odoo may read: it holds passwords. */
export function configFile(path: string, content: string | Secret): Resource {
  return file({ path, content, owner: 'root', group: ODOO_USER, mode: '0640' });
}

/** One of Odoo's services: its configuration, its unit, the unit running. */
export function odooService(site: Site, service: OdooService): readonly Resource[] {
  const { cluster } = site;
  const name = unitName(service);
  const details = DETAILS[service];
  const config = configFile(
    configPath(service),
    configText(site, details.description, serviceOptions(site, service)),
  );
  const unitFile = file({
    path: `/etc/systemd/system/${name}`,
    content: site.template('odoo/service.hbs', {
      ...details,
      cluster: cluster.name,
      service,
      config: configPath(service),
      configFolder: ODOO_CONFIG_FOLDER,
      user: ODOO_USER,
      home: ODOO_HOME,
      dataDir: cluster.filestore.path,
      pgServiceFile: PG_SERVICE_FILE,
      pgService: PG_SERVICE,
      oldAppName: majorVersion(cluster.odoo.version) < 19,
    }),
  });
  const modules = [
    ...(cluster.odoo.sessions === 'redis' ? sessionModuleFiles(site) : []),
    ...(service === 'gevent' ? busModuleFiles(site) : []),
  ];
  return [
    ...sharedFilestore(site),
    ...(service === 'gevent' ? busModuleFiles(site) : []),
    // Read anew at each connection: no restart.
    file({
      path: PG_SERVICE_FILE,
      content: site.template('odoo/pg_service.conf.hbs', { service: PG_SERVICE }),
    }),
    config,
    unitFile,
    unit({
      name,
      running: true,
      enabled: true,
      restartFor: [
        keyOf(config),
        keyOf(unitFile),
        `package:${odooPackage(cluster)}`,
        ...modules.map(keyOf),
      ],
    }),
  ];
}

/** That the filestore is the shared one: what the initialising host wrote into it is seen here. */
export function sharedFilestore({ cluster }: Site, reader = ODOO_USER): readonly Resource[] {
  if (cluster.filestore.type !== 'posix') return [];
  return [
    check({
      name: `filestore-shared-${reader}`,
      command: `runuser -u ${reader} -- head -n 1 ${filestoreMarker(cluster)} 2>&1`,
      expect: cluster.name,
      within: 10,
      describes: `${reader} sees the shared filestore at ${cluster.filestore.path}: mount the same share on every Odoo and edge host`,
    }),
  ];
}

/** Group and modes of the filestore's folders: nginx may pass through and read attachments, nothing else. */
export function filestoreFolders({ cluster }: Site): {
  readonly group: string;
  readonly dataMode: string;
  readonly filestoreMode: string;
} {
  return edgeServesFilestore(cluster)
    ? { group: 'www-data', dataMode: '0710', filestoreMode: '2750' }
    : { group: ODOO_USER, dataMode: '0750', filestoreMode: '2750' };
}
