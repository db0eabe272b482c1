import { lines, raw, sh } from '../shell/index.js';
import type { Kind, Resource } from './kind.js';

export interface LocaleResource extends Resource {
  readonly kind: 'locale';
  /** e.g. `en_US.UTF-8`. */
  readonly name: string;
}

/** A generated locale; needs the package `locales`. Only UTF-8 ones: `C.UTF-8` is always there. */
export function locale(name: string): LocaleResource {
  if (!/^[a-z]{2,3}_[A-Z]{2}\.UTF-8$/.test(name)) throw new Error(`${name} is no UTF-8 locale`);
  return { kind: 'locale', id: name, name };
}

export const localeKind: Kind<LocaleResource> = {
  name: 'locale',
  summary: 'a generated locale of the C library',

  probe: () => sh`locale -a`,

  parse(output, wanted) {
    // glibc lists `en_US.utf8` for what is called en_US.UTF-8 everywhere else.
    const found = new Set(output.split('\n').map((line) => line.replace(/\.utf8$/i, '.UTF-8')));
    return new Map(wanted.map(({ id }) => [id, found.has(id) ? { generated: true } : 'absent']));
  },

  want: () => ({ generated: true }),

  apply({ resource: { name } }) {
    return lines([
      sh`umask 022
grep -qxF ${`${name} UTF-8`} /etc/locale.gen 2>/dev/null || printf '%s\n' ${`${name} UTF-8`} >>/etc/locale.gen`,
      raw('locale-gen'),
    ]);
  },
};
