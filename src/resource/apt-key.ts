import { lines, sh } from '../shell/index.js';
import type { Kind, Observed, Resource } from './kind.js';

/** A repository's public key that the host fetches itself, accepted only with this fingerprint. */
export interface AptKeyResource extends Resource, AptKeyOptions {
  readonly kind: 'aptKey';
}

export interface AptKeyOptions {
  /** Where it is kept: absolute, ends in `.asc`. */
  readonly path: string;
  /** https URL of the ASCII-armoured key. */
  readonly url: string;
  /** 40 hexadecimal digits: the fingerprint of the one primary key in the file. */
  readonly fingerprint: string;
}

/** A key for `Signed-By`, fetched by the host. Needs the packages `curl`, `ca-certificates` and `gpg`. */
export function aptKey(options: AptKeyOptions): AptKeyResource {
  return { kind: 'aptKey', id: options.path, ...options };
}

/** Shell: prints the fingerprints of all primary keys of a file, on one line. */
const FINGERPRINTS = sh`fingerprints() {
  home=$(mktemp -d)
  gpg --homedir "$home" --batch --quiet --no-autostart --show-keys --with-colons "$1" 2>/dev/null |
    awk -F: '$1 == "pub" { wanted = 1 } $1 == "fpr" && wanted { printf "%s ", $10; wanted = 0 }'
  rm -rf "$home"
}`;

export const aptKeyKind: Kind<AptKeyResource> = {
  name: 'aptKey',
  summary: "a repository's key, fetched over https and accepted by its fingerprint only",
  probe: (wanted) =>
    lines([
      FINGERPRINTS,
      ...wanted.map(
        ({ path }) => sh`if [ ! -f ${path} ]; then echo absent
elif ! command -v gpg >/dev/null; then echo 'unknown gpg is not installed'
else echo "key $(fingerprints ${path})"; fi`,
      ),
    ]),
  parse(output, wanted) {
    const rows = output.split('\n');
    return new Map(wanted.map(({ id }, i) => [id, observed(rows[i] ?? '')]));
  },
  want: ({ fingerprint }) => ({ fingerprints: fingerprint }),
  apply: ({ resource: { path, url, fingerprint } }) => sh`${FINGERPRINTS}
umask 022
mkdir -p "$(dirname ${path})"
curl --fail --silent --show-error --location --proto '=https' --max-time 60 --output ${`${path}.new`} ${url}
found=$(fingerprints ${`${path}.new`})
if [ "$found" != ${`${fingerprint} `} ]; then
  rm -f ${`${path}.new`}
  printf 'the key at %s is not the one expected\n  expected %s\n  found    %s\n' ${url} ${fingerprint} "$found" >&2
  exit 1
fi
mv ${`${path}.new`} ${path}`,
};

function observed(row: string): Observed {
  if (row === 'absent') return 'absent';
  if (row.startsWith('key ')) return { fingerprints: row.slice(4).trim() };
  return { unknown: row.replace(/^unknown /, '') || 'the look at it said nothing' };
}
