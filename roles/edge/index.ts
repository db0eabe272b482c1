import { hostsWith, type Host } from '../../src/inventory/cluster.js';
import {
  addressOf,
  edgeServesFilestore,
  GEVENT_PORT,
  HTTP_PORT,
  odooHosts,
  OUR_ADDONS,
  PACKAGED_ADDONS,
} from '../../src/odoo/layout.js';
import { sharedFilestore } from '../../src/odoo/service.js';
import {
  aptPackage,
  check,
  directory,
  file,
  keyOf,
  selfSignedCertificate,
  unit,
} from '../../src/resource/index.js';
import type { Resource } from '../../src/resource/kind.js';
import type { RoleDefinition, Site } from '../../src/role/role.js';
import { reveal, Secret } from '../../src/shell/index.js';

const TLS_FOLDER = '/etc/nginx/tls';

/** nginx before everything: TLS, balancing, static files and attachments, websockets to their own hosts. */
export const edge: RoleDefinition = {
  name: 'edge',
  summary: 'nginx: HTTPS, balancing, static files, attachments, websockets',
  after: ['app', 'gevent'],
  serial: 1,
  on: (host) => host.roles.includes('edge'),

  install: () => [
    aptPackage({ name: 'nginx' }),
    aptPackage({ name: 'openssl' }),
    aptPackage({ name: 'curl' }),
  ],

  configure(site) {
    const { domain } = site.cluster.odoo;
    const tls = certificate(site);
    const config = file({
      path: '/etc/nginx/nginx.conf',
      content: site.template('edge/nginx.conf.hbs', nginxData(site, tls)),
      // The whole configuration is one file, so that it is tried out before it is put in place.
      validate: 'nginx -t -q -c {}',
      backup: true,
    });
    const dropInFolder = directory({ path: '/etc/systemd/system/nginx.service.d' });
    const dropIn = file({
      path: `${dropInFolder.path}/odoo-prov.conf`,
      content: site.asset('edge/nginx.service.conf'),
    });
    return [
      ...(edgeServesFilestore(site.cluster) ? sharedFilestore(site, 'www-data') : []),
      directory({ path: TLS_FOLDER, mode: '0700' }),
      ...tls.resources,
      directory({ path: '/var/cache/nginx', group: 'www-data' }),
      config,
      dropInFolder,
      dropIn,
      unit({
        name: 'nginx.service',
        running: true,
        enabled: true,
        restartFor: [keyOf(dropIn)],
        // The file of a certificate made here is watched as such: a cut run must not lose its reload.
        reloadFor: [
          ...new Set([config, ...tls.resources].map(keyOf)).add(`file:${tls.certificate}`),
        ],
      }),
      check({
        name: 'edge',
        command: `curl -sk -o /dev/null -m 4 -w '%{http_code}\\n' --resolve ${domain}:443:127.0.0.1 https://${domain}/web/login`,
        expect: '200',
        within: 60,
        describes: 'the login page is there over HTTPS',
      }),
    ];
  },
};

interface Tls {
  readonly certificate: string;
  readonly key: string;
  readonly resources: readonly Resource[];
}

function certificate(site: Site): Tls {
  const { tls } = site.cluster.edge;
  const { domain } = site.cluster.odoo;
  if (tls === 'self-signed') {
    const path = `${TLS_FOLDER}/${domain}.pem`;
    return { certificate: path, key: path, resources: [selfSignedCertificate({ path, domain })] };
  }
  const given = { certificate: `${TLS_FOLDER}/given.crt`, key: `${TLS_FOLDER}/given.key` };
  const key = new Secret(reveal(site.given(tls.key)));
  return {
    ...given,
    resources: [
      file({ path: given.certificate, content: site.given(tls.certificate), mode: '0644' }),
      file({ path: given.key, content: key, mode: '0600' }),
    ],
  };
}

function nginxData(site: Site, tls: Tls): Readonly<Record<string, unknown>> {
  const { cluster, host, facts } = site;
  const at = (to: Host, port: number): string => `${addressOf(to, host)}:${String(port)}`;
  return {
    cluster: cluster.name,
    // Without a certificate that anyone trusts, the address may be typed as well: nothing is public yet.
    names:
      cluster.edge.tls === 'self-signed'
        ? `${cluster.odoo.domain} ${host.address}`
        : cluster.odoo.domain,
    certificate: tls.certificate,
    certificateKey: tls.key,
    maxBody: cluster.edge.maxBody,
    sticky: cluster.edge.balance === 'sticky',
    // Debian 12 has nginx 1.22; `http2 on` came with 1.25.1, where `listen … http2` warns.
    http2On: facts.debian >= 13,
    apps: hostsWith(cluster, 'app').map((to) => ({
      address: at(to, HTTP_PORT),
      weight: to.weight,
    })),
    gevents: hostsWith(cluster, 'gevent').map((to) => ({ address: at(to, GEVENT_PORT) })),
    staticFolders: odooHosts(cluster).includes(host) ? [...PACKAGED_ADDONS, OUR_ADDONS] : [],
    filestore: edgeServesFilestore(cluster) ? `${cluster.filestore.path}/filestore` : '',
  };
}
