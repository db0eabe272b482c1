import { describe, expect, it } from 'vitest';
import { aptKey, aptKeyKind } from '../../src/resource/apt-key.js';
import type { Change, Observed } from '../../src/resource/kind.js';
import { odooDatabase, odooDatabaseKind } from '../../src/resource/odoo-database.js';
import type { OdooDatabaseResource } from '../../src/resource/odoo-database-resource.js';
import {
  selfSignedCertificate,
  selfSignedCertificateKind,
} from '../../src/resource/self-signed-certificate.js';
import { Secret } from '../../src/shell/index.js';

const database = odooDatabase({
  name: 'acme',
  config: '/etc/odoo/database.conf',
  passFile: '/etc/odoo-prov/odoo-database.pgpass',
  host: '198.51.100.71',
  port: 5432,
  user: 'odoo',
  systemUser: 'odoo',
  home: '/var/lib/odoo',
  languages: ['fr_FR', 'de_DE'],
  parameters: { 'web.base.url': 'https://erp.acme.example' },
  adminPassword: new Secret('hunter2'),
});

function seen(output: string): Observed | undefined {
  return odooDatabaseKind.parse(output, [database]).get('acme');
}

function changeFrom(have: Observed): Change<OdooDatabaseResource> {
  return { resource: database, have, want: odooDatabaseKind.want(database, ''), differences: [] };
}

const READY =
  '@acme\nstatus\tready\nlanguage\ten_US\nlanguage\tde_DE\nlanguage\tfr_FR\nparameter\tweb.base.url\thttps://erp.acme.example\n';

describe('an Odoo database', () => {
  it('that is there is as wanted, whatever other languages are active', () => {
    expect(seen(READY)).toEqual(odooDatabaseKind.want(database, ''));
  });

  it.each(['empty', 'unfinished', 'foreign'])('that is %s is not initialised', (status) => {
    const have = seen(`@acme\nstatus\t${status}\n`);
    expect(have).toEqual({ initialised: false, languages: '' });
    expect(odooDatabaseKind.hazard?.(changeFrom(have ?? 'absent'))).toEqual({
      type: 'creates-database',
      what: 'the Odoo database acme',
    });
  });

  it('names the parameter and the language that differ', () => {
    expect(
      seen(READY.replace('https://erp', 'http://old').replace('language\tfr_FR\n', '')),
    ).toEqual({
      initialised: true,
      languages: 'de_DE',
      'web.base.url': 'http://old.acme.example',
    });
  });

  it('that cannot be asked is unknown, which alone is no danger', () => {
    const have = seen('@acme\nunknown\tpsql is not installed\n');
    expect(have).toEqual({ unknown: 'psql is not installed' });
    expect(odooDatabaseKind.hazard?.(changeFrom(have ?? 'absent'))).toBeUndefined();
    expect(seen('')).toEqual({ unknown: 'the look at it said nothing' });
  });

  it('is looked at without a secret, and its password is in no printed script and in no argument', () => {
    expect(odooDatabaseKind.probe([database], 'salt').hasSecrets).toBe(false);
    const script = odooDatabaseKind.apply(changeFrom({ initialised: false }));
    expect(script.hasSecrets).toBe(true);
    expect(String(script)).not.toContain('hunter2');
    expect(script.render()).not.toContain('hunter2');
  });
});

describe('a self-signed certificate', () => {
  const wanted = selfSignedCertificate({ path: '/etc/nginx/tls/a.pem', domain: 'a.example' });
  const seenAs = (row: string): Observed | undefined =>
    selfSignedCertificateKind.parse(`${row}\n`, [wanted]).get(wanted.id);

  it('is as wanted, absent, or differs in what is wrong with it', () => {
    const want = selfSignedCertificateKind.want(wanted, '');
    expect(seenAs('DNS:a.example|yes|yes|600:root')).toEqual(want);
    expect(seenAs('absent')).toBe('absent');
    expect(seenAs('DNS:b.example|yes|no|644:root')).not.toEqual(want);
    expect(seenAs('')).toHaveProperty('unknown');
  });
});

describe('a downloaded key', () => {
  const wanted = aptKey({
    path: '/usr/share/keyrings/k.asc',
    url: 'https://a.example/k',
    fingerprint: 'ABCD',
  });
  const seenAs = (row: string): Observed | undefined =>
    aptKeyKind.parse(`${row}\n`, [wanted]).get(wanted.id);

  it('is compared by the fingerprints of all keys in the file', () => {
    const want = aptKeyKind.want(wanted, '');
    expect(seenAs('key ABCD ')).toEqual(want);
    expect(seenAs('key ABCD EF01 ')).not.toEqual(want);
    expect(seenAs('key ')).not.toEqual(want);
    expect(seenAs('absent')).toBe('absent');
    expect(seenAs('unknown gpg is not installed')).toEqual({ unknown: 'gpg is not installed' });
  });
});
