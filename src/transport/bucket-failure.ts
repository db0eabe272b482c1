import { Failure, type FailureDetails } from '../failure/failure.js';

/*
 * What pgBackRest (2.45, 2.55) and restic (0.14, 0.18) say when a bucket does not take what they send, and what the
 * operator can do.
 */

const REFUSED = /HTTP request failed with (?<status>\d{3})/;
const CODE = /<Code>(?<code>[A-Za-z]+)<\/Code>/;
/** Not of a host that keeps a repository, whose certificate is ours: that is on port 8432. */
const CERTIFICATE =
  /unable to (?:verify certificate presented by|find hostname) '(?<at>(?![^']*:8432')[^']+)'/;

/** restic's, of its first look, which is by HEAD: a store gives no reason then. */
const RESTIC_REFUSED = /unable to open config file: .*Access Denied/;
/** restic's. Not of a host that keeps the snapshots, on port 8433. */
const RESTIC_CERTIFICATE =
  /"https:\/\/(?<at>(?![^/"]*:8433\/)[^/"]+)\/[^"]*": (?:tls: [a-z ]+: )?x509: /;

const SET_KEY =
  'odoo-prov secrets FILE set s3-key, and s3-secret; and look at what the keeper of the store allows it: list, read, write, delete. Then odoo-prov apply FILE';

/** By the store's own codes ("Error Responses" of Amazon's S3 API; others use the same). */
const CODES: Readonly<Record<string, readonly [message: string, remedy: string]>> = {
  InvalidAccessKeyId: ['the bucket of the backups does not know this key', SET_KEY],
  SignatureDoesNotMatch: ['the secret does not fit the key for the bucket of the backups', SET_KEY],
  AccessDenied: ['the bucket of the backups does not let this key in', SET_KEY],
  RequestTimeTooSkewed: [
    "this host's clock is too far from that of the bucket of the backups",
    'set the clock of this host (timedatectl), then odoo-prov apply FILE',
  ],
  NoSuchBucket: [
    'there is no such bucket for the backups',
    'have it made where the store is kept (odoo-prov makes none), or correct postgres.backup.s3.bucket and endpoint; then odoo-prov apply FILE',
  ],
  AuthorizationHeaderMalformed: [
    'the bucket of the backups is in another region',
    'correct postgres.backup.s3.region; then odoo-prov apply FILE',
  ],
  PermanentRedirect: [
    'the bucket of the backups is at another endpoint',
    'correct postgres.backup.s3.endpoint and region; then odoo-prov apply FILE',
  ],
};

const BUSY: readonly [message: string, remedy: string] = [
  'the store of the backups is busy or broken',
  'run it again in a while; if it stays so, ask the keeper of the store',
];

/** The failure that a command's output tells, if it is one of a bucket or of the snapshots' password. */
export function bucketFailure(
  base: Pick<FailureDetails, 'host' | 'resource' | 'output'>,
  text: string,
): Failure | undefined {
  const certificate = CERTIFICATE.exec(text) ?? RESTIC_CERTIFICATE.exec(text);
  const at = certificate?.groups?.['at'];
  if (at !== undefined) {
    return new Failure({
      ...base,
      reason: 'command-failed',
      message: `the certificate of the bucket of the backups, at ${at}, is not one to trust`,
      expected: 'a certificate for that name, signed by an authority that the host knows',
      remedy:
        'give the authority as postgres.backup.s3.ca, or correct the endpoint; then odoo-prov apply FILE',
    });
  }
  if (text.includes('Fatal: wrong password or no key found')) {
    return new Failure({
      ...base,
      reason: 'command-failed',
      message: 'the snapshots of the filestore are encrypted with another password',
      expected: 'those of this cluster: its secret filestore-backup-password opens them',
      remedy:
        'are the secrets those of this cluster? Snapshots of another one: give postgres.backup another path, then odoo-prov apply FILE',
    });
  }
  const status = RESTIC_REFUSED.test(text) ? '403' : REFUSED.exec(text)?.groups?.['status'];
  if (status === undefined) return undefined;
  const code = CODE.exec(text)?.groups?.['code'];
  const known = code !== undefined && Object.hasOwn(CODES, code) ? CODES[code] : undefined;
  // What was asked for by HEAD has no code.
  const refused = status === '403' ? CODES['AccessDenied'] : undefined;
  const busy = status.startsWith('5') ? BUSY : undefined;
  const [message, remedy] = known ??
    refused ??
    busy ?? [
      'the bucket of the backups refuses',
      'compare postgres.backup.s3 with what the keeper of the store gave you; then odoo-prov apply FILE',
    ];
  const found = code === undefined ? `HTTP ${status}` : `HTTP ${status}, ${code}`;
  return new Failure({ ...base, reason: 'command-failed', message, found, remedy });
}
