import { X509Certificate, createPrivateKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { hostCertificate } from '../../src/postgres/certificates.js';
import { Secret } from '../../src/shell/index.js';

const secret = new Secret('a secret');
const db = hostCertificate(secret, 'db1', { dns: ['198.51.100.31'] });
const read = (pem: string): X509Certificate => new X509Certificate(pem);

describe('certificates between the repository and the database hosts', () => {
  it('are the same whenever they are made: nothing to change in the next run', () => {
    const again = hostCertificate(secret, 'db1', { dns: ['198.51.100.31'] });
    expect(again.certificate).toBe(db.certificate);
    expect(again.authority).toBe(db.authority);
    expect(again.key.reveal()).toBe(db.key.reveal());
  });

  it('are signed by the authority, which signed itself', () => {
    const authority = read(db.authority);
    expect(authority.ca).toBe(true);
    expect(authority.verify(authority.publicKey)).toBe(true);
    expect(read(db.certificate).verify(authority.publicKey)).toBe(true);
    expect(read(db.certificate).checkIssued(authority)).toBe(true);
    expect(read(db.certificate).ca).toBe(false);
  });

  it('name the host and what the others connect to', () => {
    const certificate = read(db.certificate);
    expect(certificate.subject).toBe('CN=db1');
    expect(certificate.subjectAltName).toBe('DNS:db1, DNS:198.51.100.31');
    expect(certificate.checkPrivateKey(createPrivateKey(db.key.reveal()))).toBe(true);
  });

  it('name an address as one for who looks for it there', () => {
    const names = { dns: [], ip: ['198.51.100.31'] };
    const certificate = read(hostCertificate(secret, 'db1', names).certificate);
    expect(certificate.subjectAltName).toBe('DNS:db1, IP Address:198.51.100.31');
    expect(certificate.checkIP('198.51.100.31')).toBe('198.51.100.31');
  });

  it('never end', () => {
    expect(read(db.certificate).validTo).toBe('Dec 31 23:59:59 9999 GMT');
    expect(read(db.authority).validTo).toBe('Dec 31 23:59:59 9999 GMT');
  });

  it('of another host or another secret have another key', () => {
    const other = hostCertificate(secret, 'db2', { dns: [] });
    expect(other.authority).toBe(db.authority);
    expect(other.key.reveal()).not.toBe(db.key.reveal());
    const stranger = hostCertificate(new Secret('another'), 'db1', { dns: ['198.51.100.31'] });
    expect(read(stranger.certificate).verify(read(db.authority).publicKey)).toBe(false);
  });
});
