import { describe, expect, it } from 'vitest';

import { findUnifiedMount } from '../../src/lab/cgroup.js';
import {
  checkOptionsOf,
  renderAptConfiguration,
  renderKnownHost,
  renderNetwork,
} from '../../src/lab/host-files.js';
import { debianMirrors, parseListFile, parseSourcesFile } from '../../src/lab/machine-mirrors.js';
import { parseNameservers } from '../../src/lab/nameservers.js';
import { renderNftTable } from '../../src/lab/network.js';
import { baseRecipe, mmdebstrapArguments, recipeHash } from '../../src/lab/recipe.js';
import { checkSpec } from '../../src/lab/spec.js';
import { linkName, nspawnArguments, renderStartScript } from '../../src/lab/start-script.js';
import type { HostState, LabState } from '../../src/lab/state.js';

const host: HostState = {
  name: 'db1',
  address: '198.51.100.1',
  number: 1,
  layers: ['converged-1'],
  binds: [
    { source: 'filestore', target: '/srv/filestore' },
    { source: '/srv/a b:c', target: '/mnt', readOnly: true },
  ],
};
const lab: LabState = {
  name: 'acme',
  subnet: '198.51.100.0/27',
  gateway: '198.51.100.30',
  bridge: 'oplab0',
  release: 'trixie',
  base: '/cache/base',
  hosts: [host],
  snapshots: {},
};

describe('what a lab host is given', () => {
  it('is a static network', () => {
    expect(renderNetwork(lab, host.address)).toContain(
      'Address=198.51.100.1/27\nGateway=198.51.100.30\n',
    );
  });

  it('is apt through the lab’s cache, as tolerant as the machine’s own', () => {
    const dump = 'Acquire::Check-Date "false";\nAcquire::Languages "de";\n';
    const text = renderAptConfiguration('198.51.100.30', checkOptionsOf(dump));
    expect(text).toContain('Acquire::http::Proxy "http://198.51.100.30:3142";');
    expect(text).toContain('Acquire::Check-Date "false";');
    expect(text).not.toContain('Languages');
  });

  it('is known by its own key', () => {
    expect(renderKnownHost(host, 'ssh-ed25519 AAAA root@db1\n')).toBe(
      '198.51.100.1,db1 ssh-ed25519 AAAA',
    );
  });
});

describe('how a lab host is started', () => {
  it('by nspawn, with a link name that fits the kernel and all capabilities but the clock', () => {
    const words = nspawnArguments(lab, host, ['/dev/fuse']);
    expect(words).toEqual(
      expect.arrayContaining([
        '--hostname=db1',
        '--machine=oplab0-1',
        '--network-bridge=oplab0',
        '--drop-capability=CAP_SYS_TIME',
        '--bind=/dev/fuse',
        '--bind-ro=/srv/a b\\:c:/mnt',
      ]),
    );
    expect(words.find((word) => word.endsWith('/shared/filestore:/srv/filestore'))).toBeDefined();
    expect(linkName({ bridge: 'oplab4103' }, { number: 29 })).toHaveLength(15);
  });

  it('in its own mounts, its snapshot’s layer over the base', () => {
    const script = renderStartScript(
      lab,
      host,
      { root: '/sys/fs/cgroup', needsOwnMount: false, controllers: [] },
      [],
    );
    expect(script).toMatch(/lowerdir=\S+\/layers\/converged-1\/db1:\/cache\/base,upperdir=/);
    expect(script).not.toContain('mount -t cgroup2');
    // Quoted for the script, and again for the shell that joins the group.
    expect(script).toContain(String.raw`'\''--bind-ro=/srv/a b\:c:/mnt'\''`);
  });

  it('with only cgroup v2 in sight where the machine has v1 as well', () => {
    const layout = { root: '/sys/fs/cgroup/unified', needsOwnMount: true, controllers: [] };
    const script = renderStartScript(lab, host, layout, []);
    expect(script).toContain('umount -R /sys/fs/cgroup\nmount -t cgroup2 none /sys/fs/cgroup');
  });

  it('finds cgroup v2 in either place', () => {
    const line = (mount: string, type: string): string =>
      `30 20 0:26 / ${mount} rw shared:9 - ${type} none rw`;
    const hybrid = [
      line('/sys/fs/cgroup/cpu', 'cgroup'),
      line('/sys/fs/cgroup/unified', 'cgroup2'),
    ];
    expect(findUnifiedMount(hybrid.join('\n'))).toBe('/sys/fs/cgroup/unified');
    expect(findUnifiedMount(line('/sys/fs/cgroup', 'cgroup2'))).toBe('/sys/fs/cgroup');
    expect(findUnifiedMount(line('/sys/fs/cgroup/cpu', 'cgroup'))).toBeUndefined();
  });

  it('masquerades in a table of its own', () => {
    expect(renderNftTable(lab)).toContain(
      'ip saddr 198.51.100.0/27 ip daddr != 198.51.100.0/27 masquerade',
    );
  });
});

describe('the machine’s package mirrors', () => {
  const stanza = (uri: string, suites: string): string =>
    `Types: deb deb-src\n# a comment\nURIs: ${uri}\nSuites: ${suites}\nComponents: main contrib\n`;

  it('are read from deb822 sources', () => {
    const sources = parseSourcesFile(
      `${stanza('http://mirror.example/debian/', 'bookworm bookworm-updates')}\n` +
        `Enabled: no\n${stanza('http://off.example/debian', 'bookworm')}\n` +
        stanza('http://mirror.example/debian-security', 'bookworm-security'),
    );
    expect(debianMirrors(sources, 'bookworm')).toEqual({
      main: 'http://mirror.example/debian',
      security: 'http://mirror.example/debian-security',
      components: 'main contrib',
    });
  });

  it('are read from one-line sources', () => {
    const sources = parseListFile(
      '# deb http://off.example/debian trixie main\n' +
        'deb [arch=amd64 signed-by=/k] http://mirror.example/debian trixie main # here\n',
    );
    expect(debianMirrors(sources, 'trixie')).toEqual({
      main: 'http://mirror.example/debian',
      components: 'main',
    });
    expect(debianMirrors(sources, 'bookworm')).toBeUndefined();
  });

  it('make the recipe, and another release is another image', () => {
    const mirrors = { main: 'http://mirror.example/debian', components: 'main' };
    const trixie = baseRecipe('trixie', mirrors);
    expect(recipeHash(trixie)).not.toBe(recipeHash(baseRecipe('bookworm', mirrors)));
    expect(mmdebstrapArguments(trixie, '/t').slice(-3)).toEqual(['trixie', '/t', '-']);
    expect(mmdebstrapArguments(baseRecipe('trixie', undefined), '/t').at(-1)).toBe('/t');
  });

  it('are reached by the machine’s name servers', () => {
    expect(
      parseNameservers('search x\nnameserver 192.0.2.1\n#nameserver 1\nnameserver ::1\n'),
    ).toEqual(['192.0.2.1', '::1']);
  });
});

describe('a lab’s spec', () => {
  it('refuses names and binds that cannot be', () => {
    const spec = (name: string, source = 'a'): Parameters<typeof checkSpec>[0] => ({
      name,
      hosts: [{ name: 'a', binds: [{ source, target: '/a' }] }],
    });
    expect(() => checkSpec(spec('../x'))).toThrow('the lab name "../x" cannot be used');
    expect(() => checkSpec(spec('x', '../a'))).toThrow('a bind is not usable');
    expect(() => checkSpec({ name: 'x', hosts: [{ name: 'a' }, { name: 'a' }] })).toThrow(
      'two hosts named a',
    );
  });
});
