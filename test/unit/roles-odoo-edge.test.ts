import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { edge } from '../../roles/edge/index.js';
import { readInventory, type Cluster } from '../../src/inventory/index.js';
import type { Resource } from '../../src/resource/kind.js';
import { reveal, Secret } from '../../src/shell/index.js';
import { siteOf } from '../../src/role/site.js';
import { readTemplates } from '../../src/template/package-files.js';
import { testFacts } from '../support/site.js';

function example(name: string): Cluster {
  const inventory = readInventory(join(import.meta.dirname, '../../inventory', name));
  if (!inventory.ok) throw new Error(inventory.text);
  return inventory.cluster;
}

/** What the edge role wants on the first edge host. */
function edgeOf(cluster: Cluster, debian = 13): readonly (Resource & Record<string, unknown>)[] {
  const host = cluster.hosts.find((h) => edge.on(h, cluster));
  if (host === undefined) throw new Error('no edge');
  const facts = { ...testFacts, debian };
  const site = siteOf(host, {
    cluster,
    written: cluster,
    factsOf: () => facts,
    secret: (name) => new Secret(name),
    templates: readTemplates(),
    given: new Map([
      ['/keys/a.crt', 'CERTIFICATE'],
      ['/keys/a.key', 'PRIVATE KEY'],
    ]),
  });
  return edge.configure(site).map((r) => r as Resource & Record<string, unknown>);
}

function nginxConf(cluster: Cluster, debian = 13): string {
  const config = edgeOf(cluster, debian).find((r) => r.id === '/etc/nginx/nginx.conf');
  const content = config?.['content'];
  if (typeof content !== 'string') throw new Error('nginx.conf holds no secret');
  return content;
}

/** The lines of the block that begins with `start`, to the first closing brace at its depth. */
function block(text: string, start: string): readonly string[] {
  const rows = text.split('\n');
  const from = rows.findIndex((row) => row.trim() === `${start} {`);
  if (from < 0) throw new Error(`no ${start}`);
  const indent = /^ */.exec(rows[from] ?? '')?.[0] ?? '';
  const to = rows.findIndex((row, i) => i > from && row === `${indent}}`);
  return rows.slice(from + 1, to).map((row) => row.trim());
}

describe('nginx.conf', () => {
  it.each([
    ['one-host.yaml', 13],
    ['three-hosts.yaml', 13],
    ['full.yaml', 12],
  ])('of %s on Debian %i', async (name, debian) => {
    await expect(nginxConf(example(name), debian)).toMatchFileSnapshot(
      `expected/nginx-${name.replace('.yaml', '')}.conf`,
    );
  });

  it('sends websockets to gevent hosts only, and everything else to app hosts', () => {
    const text = nginxConf(example('full.yaml'));
    expect(block(text, 'location /websocket')).toContain('proxy_pass http://odoo_gevent;');
    expect(text.match(/proxy_pass http:\/\/odoo_gevent;/g)).toHaveLength(1);
    expect(block(text, 'upstream odoo_gevent').filter((row) => row.startsWith('server'))).toEqual([
      'server 198.51.100.41:8072 max_fails=3 fail_timeout=10s;',
      'server 198.51.100.42:8072 max_fails=3 fail_timeout=10s;',
    ]);
    expect(block(text, 'upstream odoo_app')).toEqual([
      'server 198.51.100.21:8069 weight=2 max_fails=3 fail_timeout=10s;',
      'server 198.51.100.22:8069 weight=1 max_fails=3 fail_timeout=10s;',
      'server 198.51.100.23:8069 weight=1 max_fails=3 fail_timeout=10s;',
    ]);
  });

  it('gives every proxied location the headers that tell Odoo who asked', () => {
    const text = nginxConf(example('full.yaml'));
    const proxied = text.split(/\n {8}(?=location )/).filter((part) => part.includes('proxy_pass'));
    expect(proxied.length).toBeGreaterThanOrEqual(4);
    for (const part of proxied) {
      for (const header of ['X-Forwarded-Host', 'X-Forwarded-For', 'X-Forwarded-Proto']) {
        expect(part, part).toContain(`proxy_set_header ${header} `);
      }
    }
  });

  it('never repeats a POST', () => {
    const text = nginxConf(example('full.yaml'));
    const rules = [...text.matchAll(/^\s*proxy_next_upstream (.*);/gm)].map(([, rule]) => rule);
    expect(rules).toEqual(['error timeout invalid_header']);
  });

  it('keeps a client on one app host when asked to', () => {
    const cluster = example('full.yaml');
    const sticky: Cluster = { ...cluster, edge: { ...cluster.edge, balance: 'sticky' } };
    expect(block(nginxConf(sticky), 'upstream odoo_app')[0]).toBe('ip_hash;');
    expect(nginxConf(cluster)).not.toContain('ip_hash');
  });

  it('keeps no copy of an attachment that nginx serves, and no cookie of one that it does not', () => {
    const cluster = example('one-host.yaml');
    const [host] = cluster.hosts;
    if (host === undefined) throw new Error('no host');
    const apart: Cluster = {
      ...cluster,
      hosts: [
        { ...host, name: 'front', address: '198.51.100.12', roles: ['edge'] },
        { ...host, roles: host.roles.filter((role) => role !== 'edge') },
      ],
    };
    const assets = 'location ~ "^/web/assets/([0-9]+/)?[0-9a-f-]{7,}/"';
    expect(nginxConf(cluster)).not.toContain('/web/assets/');
    expect(block(nginxConf(cluster), 'location /web/filestore')).toEqual([
      'internal;',
      'alias /var/lib/odoo/filestore;',
    ]);
    expect(block(nginxConf(apart), assets)).toEqual(
      expect.arrayContaining(['proxy_hide_header Set-Cookie;', 'proxy_set_header Cookie "";']),
    );
    expect(nginxConf(apart)).not.toContain('/web/filestore {');
  });
});

describe('certificates', () => {
  it('makes one on the host, and reloads nginx for it', () => {
    const found = edgeOf(example('one-host.yaml'));
    const path = '/etc/nginx/tls/erp.small.example.pem';
    expect(found).toContainEqual(
      expect.objectContaining({
        kind: 'selfSignedCertificate',
        path,
        domain: 'erp.small.example',
      }),
    );
    expect(found.find((r) => r.kind === 'unit')).toMatchObject({
      reloadFor: ['file:/etc/nginx/nginx.conf', `selfSignedCertificate:${path}`, `file:${path}`],
    });
  });

  it('installs a given one: the key as a secret, and no other name than its own is answered', () => {
    const cluster = example('one-host.yaml');
    const given: Cluster = {
      ...cluster,
      edge: { ...cluster.edge, tls: { certificate: '/keys/a.crt', key: '/keys/a.key' } },
    };
    const found = edgeOf(given);
    const key = found.find((r) => r.id === '/etc/nginx/tls/given.key');
    expect(key).toMatchObject({ mode: '0600' });
    expect(key?.['content']).toBeInstanceOf(Secret);
    expect(reveal(key?.['content'] as Secret)).toBe('PRIVATE KEY');
    expect(nginxConf(given)).toContain('server_name erp.small.example;');
    expect(nginxConf(cluster)).toContain('server_name erp.small.example 198.51.100.11;');
  });
});
