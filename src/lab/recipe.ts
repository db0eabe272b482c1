import { createHash } from 'node:crypto';

import type { Mirrors } from './machine-mirrors.js';
import type { Release } from './spec.js';

/** Everything that the base image depends on. The same recipe is the same image. */
export interface Recipe {
  readonly release: Release;
  readonly packages: readonly string[];
  readonly dpkgOptions: readonly string[];
  readonly aptOptions: readonly string[];
  readonly hooks: readonly string[];
  /** deb822 text; empty: mmdebstrap's own default for the release. */
  readonly sources: string;
}

// What a freshly installed Debian server can be counted on to have, and no more: what the product
// needs beyond this it has to install itself.
const PACKAGES = [
  'systemd',
  'systemd-sysv',
  'dbus',
  'libpam-systemd',
  'openssh-server',
  'sudo',
  'iproute2',
  'iputils-ping',
  'ca-certificates',
  'curl',
  'procps',
  'locales',
  'less',
  'netbase',
  'kmod',
];

// Nothing on a lab host has to survive a loss of this machine's power; nobody reads manuals there.
const DPKG_OPTIONS = [
  'force-unsafe-io',
  'path-exclude=/usr/share/man/*',
  'path-exclude=/usr/share/locale/*',
  'path-include=/usr/share/locale/locale.alias',
  'path-exclude=/usr/share/doc/*',
  'path-include=/usr/share/doc/*/copyright',
];

const HOOKS = [
  // Each host gets its own.
  'rm -f "$1"/etc/ssh/ssh_host_* "$1"/etc/hostname "$1"/etc/resolv.conf',
  ': > "$1"/etc/machine-id',
  'chroot "$1" systemctl enable systemd-networkd.service',
  'mv "$1"/etc/apt/sources.list.d/*.sources "$1"/etc/apt/sources.list.d/debian.sources 2>/dev/null || true',
  // Done once here instead of at the first boot of every host.
  'chroot "$1" ldconfig && chroot "$1" journalctl --update-catalog',
  'touch -r "$1"/usr "$1"/etc/.updated "$1"/var/.updated',
];

/** The recipe for a release with the machine's mirrors. */
export function baseRecipe(release: Release, mirrors: Mirrors | undefined): Recipe {
  return {
    release,
    packages: PACKAGES,
    dpkgOptions: DPKG_OPTIONS,
    aptOptions: ['Acquire::Languages "none"'],
    hooks: HOOKS,
    sources: mirrors === undefined ? '' : renderSources(release, mirrors),
  };
}

/** A short name for the recipe's content. */
export function recipeHash(recipe: Recipe): string {
  return createHash('sha256').update(JSON.stringify(recipe)).digest('hex').slice(0, 12);
}

/** `debian.sources` of a host: the machine's mirrors, the lab's release. */
export function renderSources(release: Release, mirrors: Mirrors): string {
  const source = (uri: string, suites: string): string =>
    [
      'Types: deb',
      `URIs: ${uri}`,
      `Suites: ${suites}`,
      `Components: ${mirrors.components}`,
      'Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg',
      '',
    ].join('\n');
  const parts = [source(mirrors.main, `${release} ${release}-updates`)];
  if (mirrors.security !== undefined) parts.push(source(mirrors.security, `${release}-security`));
  return parts.join('\n');
}

/** mmdebstrap's arguments; the sources are read from standard input (`-`) where there are any. */
export function mmdebstrapArguments(recipe: Recipe, target: string): string[] {
  return [
    '--mode=root',
    '--variant=minbase',
    '--format=directory',
    `--include=${recipe.packages.join(',')}`,
    ...recipe.dpkgOptions.map((option) => `--dpkgopt=${option}`),
    ...recipe.aptOptions.map((option) => `--aptopt=${option}`),
    ...recipe.hooks.map((hook) => `--customize-hook=${hook}`),
    recipe.release,
    target,
    ...(recipe.sources === '' ? [] : ['-']),
  ];
}
