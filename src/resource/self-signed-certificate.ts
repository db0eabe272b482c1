import { lines, sh } from '../shell/index.js';
import type { Kind, Observed, Resource } from './kind.js';

/** A TLS certificate and its key in one PEM file, made on the host: the key never leaves it. */
export interface SelfSignedCertificateResource extends Resource, SelfSignedCertificateOptions {
  readonly kind: 'selfSignedCertificate';
}

export interface SelfSignedCertificateOptions {
  /** The PEM file: key and certificate, readable by root only. Its folder must exist. */
  readonly path: string;
  /** DNS name that it is for. */
  readonly domain: string;
}

/** A self-signed certificate for a domain. One file, so that key and certificate always belong together. */
export function selfSignedCertificate(
  options: SelfSignedCertificateOptions,
): SelfSignedCertificateResource {
  return { kind: 'selfSignedCertificate', id: options.path, ...options };
}

/** Days for which one is made; browsers accept no longer (CA/Browser Forum, 825 days for private ones). */
const DAYS = 825;
/** Seconds before its end at which a new one is made: 30 days. */
const RENEW = 30 * 24 * 3600;

export const selfSignedCertificateKind: Kind<SelfSignedCertificateResource> = {
  name: 'selfSignedCertificate',
  summary: 'a self-signed certificate and its key, made on the host and renewed before it ends',
  probe: (wanted) =>
    lines([
      sh`look() {
  [ -f "$1" ] || { echo absent; return; }
  seen=$(openssl x509 -in "$1" -noout -ext subjectAltName -pubkey -checkend ${RENEW} 2>/dev/null) && lasts=yes || lasts=no
  names=$(printf '%s\n' "$seen" | sed -n 's/^ *DNS:/DNS:/p')
  ours=$(printf '%s\n' "$seen" | sed -n '/^-----BEGIN PUBLIC KEY/,/^-----END PUBLIC KEY/p')
  [ -n "$ours" ] && [ "$ours" = "$(openssl pkey -in "$1" -pubout 2>/dev/null)" ] && pair=yes || pair=no
  printf '%s|%s|%s|%s\n' "$names" "$pair" "$lasts" "$(stat -c %a:%U "$1")"
}`,
      ...wanted.map(({ path }) => sh`look ${path}`),
    ]),
  parse(output, wanted) {
    const rows = output.split('\n');
    return new Map(wanted.map(({ id }, i) => [id, observed(rows[i] ?? '')]));
  },
  want: ({ domain }) => ({
    names: `DNS:${domain}`,
    'key fits': 'yes',
    'lasts 30 days': 'yes',
    access: '600:root',
  }),
  apply: ({ resource: { path, domain } }) => sh`umask 077
new=$(mktemp ${`${path}.XXXXXX`})
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -days ${DAYS} -subj ${`/CN=${domain.slice(0, 64)}`} \
  -addext ${`subjectAltName=DNS:${domain}`} -keyout "$new.key" -out "$new.cert" 2>&1
cat "$new.key" "$new.cert" >"$new"
rm -f "$new.key" "$new.cert"
sync "$new"
mv "$new" ${path}`,
};

function observed(row: string): Observed {
  if (row === 'absent') return 'absent';
  const [names, pair, lasts, access] = row.split('|');
  if (names === undefined || pair === undefined || lasts === undefined || access === undefined) {
    return { unknown: 'the look at it said nothing' };
  }
  return { names, 'key fits': pair, 'lasts 30 days': lasts, access };
}
