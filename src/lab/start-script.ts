import { existsSync } from 'node:fs';
import path from 'node:path';

import { hostGroup } from './cgroup.js';
import type { CgroupLayout } from './cgroup.js';
import { layerDirectory } from './host-layers.js';
import { hostPaths, labPaths } from './paths.js';
import type { LabBind } from './spec.js';
import type { HostState, LabState } from './state.js';

/** nspawn's exit code for "the host wants to be rebooted" under --keep-unit. */
const REBOOT = 133;

/** The host's name for nspawn: unique on the machine, short enough for the link `vb-…`. */
export function machineName(
  lab: Pick<LabState, 'bridge'>,
  host: Pick<HostState, 'number'>,
): string {
  return `${lab.bridge}-${host.number}`;
}

/** The machine's end of the host's network link; nspawn makes it at every start. */
export function linkName(lab: Pick<LabState, 'bridge'>, host: Pick<HostState, 'number'>): string {
  return `vb-${machineName(lab, host)}`;
}

/** Where a bind's source is on this machine. */
export function bindSource(lab: string, bind: LabBind): string {
  return bind.source.startsWith('/') ? bind.source : path.join(labPaths(lab).shared, bind.source);
}

/**
 * nspawn's arguments for a host. All capabilities, as a real server's root has, but for the clock: all
 * hosts share one.
 */
export function nspawnArguments(
  lab: LabState,
  host: HostState,
  devices: readonly string[],
): string[] {
  const colons = (file: string): string => file.replaceAll(':', '\\:');
  return [
    '--quiet',
    '--boot',
    '--register=no',
    '--keep-unit',
    `--directory=${hostPaths(lab.name, host.name).root}`,
    `--machine=${machineName(lab, host)}`,
    `--hostname=${host.name}`,
    `--network-bridge=${lab.bridge}`,
    '--capability=all',
    '--drop-capability=CAP_SYS_TIME',
    '--resolv-conf=off',
    '--timezone=off',
    '--link-journal=no',
    '--console=read-only',
    ...devices.map((device) => `--bind=${device}`),
    ...(host.binds ?? []).map((bind) => {
      const option = bind.readOnly === true ? '--bind-ro' : '--bind';
      return `${option}=${colons(bindSource(lab.name, bind))}:${colons(bind.target)}`;
    }),
  ];
}

/** Devices of the machine that hosts see, as far as they are there. */
export function machineDevices(): string[] {
  return ['/dev/fuse', '/dev/net/tun'].filter((device) => existsSync(device));
}

/**
 * The script that is a host's power supply. It runs in a mount namespace of its own, so that its mounts
 * end with it, however it ends. A reboot starts nspawn again; anything else ends the script.
 */
export function renderStartScript(
  lab: LabState,
  host: HostState,
  layout: CgroupLayout,
  devices: readonly string[],
): string {
  const paths = hostPaths(lab.name, host.name);
  const group = hostGroup(lab.bridge, host.name);
  // Inside, v2 is at /sys/fs/cgroup whatever the machine has there.
  const cgroup = quote(`/sys/fs/cgroup${group}`);
  const layers = host.layers.map((layer) => layerDirectory(lab.name, layer, host.name));
  const overlay = `lowerdir=${[...layers, lab.base].join(':')},upperdir=${paths.upper},workdir=${paths.work},volatile`;
  const nspawn = ['systemd-nspawn', ...nspawnArguments(lab, host, devices)].map(quote).join(' ');
  const ownMount = [
    '# Debian 13 wants cgroup v2 only; this machine mounts v1 or both.',
    'umount -R /sys/fs/cgroup',
    'mount -t cgroup2 none /sys/fs/cgroup',
  ];
  return [
    '#!/bin/sh',
    `# The host ${host.name} of the lab ${lab.name}. Made by odoo-prov, anew at every start.`,
    '# Run as: unshare --mount --propagation private sh THIS',
    'set -eu',
    ...(layout.needsOwnMount ? ownMount : []),
    '# Fails when the lab was taken down meanwhile: the group is gone then.',
    `echo $$ > ${cgroup}/watch/cgroup.procs`,
    '# What nspawn notes about the host goes with it, too.',
    'mkdir -p /run/systemd/nspawn',
    'mount -t tmpfs none /run/systemd/nspawn',
    '# volatile: the host never waits for this machine’s disk. A mark of an earlier run forbids mounting.',
    `rm -rf ${quote(`${paths.work}/work`)}`,
    `mount -t overlay -o ${quote(overlay)} overlay ${quote(paths.root)}`,
    'export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1',
    'while :; do',
    '  code=0',
    `  sh -c ${quote(`echo $$ > ${cgroup}/host/cgroup.procs; exec ${nspawn}`)} || code=$?`,
    '  echo "odoo-prov lab: nspawn ended with $code"',
    `  [ "$code" = ${REBOOT} ] || exit "$code"`,
    'done',
    '',
  ].join('\n');
}

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
