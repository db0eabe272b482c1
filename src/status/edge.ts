import { sh, raw, type Script } from '../shell/index.js';
import { numberOf, valuesOf } from './text.js';

export interface EdgeStatus {
  /** HTTP status of Odoo's health page through this nginx, over HTTPS; 0 when it does not answer. */
  readonly status: number;
  /** Seconds that this answer took. */
  readonly seconds: number;
  /** The certificate that nginx shows to browsers; null when it shows none. */
  readonly certificate: {
    /** ISO 8601. */
    readonly expires: string;
    /** Days until then; below 0: it has expired. */
    readonly days: number;
  } | null;
}

/** Asks nginx on its own host, as a browser would: what it really serves counts, not what is in its files. */
export function edgeProbe(domain: string): Script {
  return sh`
echo "now=$(date +%s)"
echo "answer=$(curl -sk -o /dev/null -m 5 --resolve ${raw(`${domain}:443:127.0.0.1`)} \
  -w '%{http_code} %{time_total}' https://${raw(domain)}/web/health)"
echo "expires=$(timeout 5 openssl s_client -connect 127.0.0.1:443 -servername ${domain} 2>/dev/null |
  openssl x509 -noout -enddate 2>/dev/null | sed 's/^notAfter=//')"`;
}

/** Reads what {@link edgeProbe} printed. @throws Error on anything else */
export function parseEdge(text: string): EdgeStatus {
  const values = valuesOf(text);
  const [status, seconds] = (values.get('answer') ?? '').split(' ');
  const expires = values.get('expires') ?? '';
  return {
    status: numberOf(status, 'the HTTP status'),
    seconds: numberOf(seconds, "the answer's time"),
    certificate: expires === '' ? null : certificateOf(expires, numberOf(values.get('now'), 'now')),
  };
}

/** @param expires as openssl writes it, e.g. `Nov 22 00:05:55 2027 GMT` */
function certificateOf(expires: string, now: number): EdgeStatus['certificate'] {
  const at = Date.parse(expires);
  if (Number.isNaN(at)) throw new Error(`${expires} is no date`);
  return { expires: new Date(at).toISOString(), days: (at / 1000 - now) / 86_400 };
}
