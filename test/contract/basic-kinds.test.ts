import { beforeAll, describe } from 'vitest';
import type { Release } from '../../src/lab/index.js';
import {
  absentFile,
  absentPackage,
  absentSymlink,
  aptPackage,
  aptSource,
  check,
  directory,
  file,
  group,
  job,
  mount,
  symlink,
  sysctl,
  unit,
  user,
} from '../../src/resource/index.js';
import { Secret } from '../../src/shell/index.js';
import { type ContractCase, describeKind } from '../support/contract.js';
import { type HostShell, labShell } from '../support/host-shell.js';
import { testLab } from '../support/lab.js';

const HERE = '/srv/contract';
const CLEAN = `rm -rf ${HERE}; mkdir -p ${HERE}`;
const hostile = `${HERE}/a 'b" $c \`d\`\n-e*\\é`;
const hostileWord = `'${hostile.replaceAll("'", `'\\''`)}'`;

const files: readonly ContractCase[] = [
  {
    name: 'file',
    resource: file({
      path: `${HERE}/app.conf`,
      content: 'one\ntwo\n',
      group: 'adm',
      mode: '0640',
      validate: 'grep -q two {}',
      backup: true,
    }),
    start: CLEAN,
    end: `rm -rf ${HERE}`,
    drifts: [
      { how: `echo three >> ${HERE}/app.conf`, fields: ['sha256'] },
      { how: `chmod 4755 ${HERE}/app.conf`, fields: ['mode'] },
      { how: `chown daemon ${HERE}/app.conf`, fields: ['owner'] },
      { how: `chgrp daemon ${HERE}/app.conf`, fields: ['group'] },
      { how: `rm ${HERE}/app.conf`, fields: ['state'] },
      {
        how: `rm ${HERE}/app.conf; ln -s /etc/passwd ${HERE}/app.conf`,
        fields: ['type', 'sha256', 'owner', 'group', 'mode'],
      },
    ],
    watch: [HERE],
  },
  {
    name: 'file with a secret, over an old one',
    resource: file({
      path: `${HERE}/secret`,
      content: new Secret("p'w\n$x\0y"),
      owner: 'daemon',
      mode: '600',
      backup: true,
    }),
    start: `${CLEAN}; echo old > ${HERE}/secret`,
    drifts: [
      { how: `echo other > ${HERE}/secret`, fields: ['sha256'] },
      { how: `chmod 644 ${HERE}/secret`, fields: ['mode'] },
    ],
    watch: [HERE],
  },
  {
    name: 'file with a hostile path and content',
    resource: file({ path: hostile, content: `'; touch ${HERE}/pwned #\n\\0 $(id)\n` }),
    start: CLEAN,
    drifts: [{ how: `: > ${hostileWord}`, fields: ['sha256'] }],
    watch: [HERE],
  },
  {
    name: 'file that must be absent',
    resource: absentFile(`${HERE}/gone`),
    start: `${CLEAN}; echo x > ${HERE}/gone`,
    drifts: [{ how: `ln -s /etc/passwd ${HERE}/gone`, fields: ['state'] }],
    watch: [HERE],
  },
  {
    name: 'directory',
    resource: directory({ path: `${HERE}/a/b`, owner: 'daemon', group: 'adm', mode: '0750' }),
    start: CLEAN,
    drifts: [
      { how: `chmod 2750 ${HERE}/a/b`, fields: ['mode'] },
      { how: `chgrp 0 ${HERE}/a/b`, fields: ['group'] },
      { how: `chown 0 ${HERE}/a/b`, fields: ['owner'] },
      { how: `rmdir ${HERE}/a/b`, fields: ['state'] },
    ],
    watch: [HERE],
  },
  {
    name: 'symlink',
    resource: symlink({ path: hostile, target: '../$x y' }),
    start: `${CLEAN}; echo file > ${hostileWord}`,
    drifts: [
      { how: `ln -sfn elsewhere ${hostileWord}`, fields: ['target'] },
      { how: `rm ${hostileWord}`, fields: ['state'] },
    ],
    watch: [HERE],
  },
  {
    name: 'symlink that must be absent',
    resource: absentSymlink(`${HERE}/link`),
    start: `${CLEAN}; ln -s nowhere ${HERE}/link`,
    watch: [HERE],
  },
];

const system: readonly ContractCase[] = [
  {
    name: 'group',
    resource: group({ name: 'contract' }),
    start: 'groupdel contract 2>/dev/null || :',
    end: 'groupdel contract',
    watch: ['/etc/group', '/etc/gshadow'],
  },
  {
    name: 'group with a number',
    resource: group({ name: 'contract', gid: 4321 }),
    start: 'groupdel contract 2>/dev/null || :',
    end: 'groupdel contract',
    drifts: [{ how: 'groupmod -g 4322 contract', fields: ['gid'] }],
    watch: ['/etc/group', '/etc/gshadow'],
  },
  {
    name: 'user',
    resource: user({
      name: 'contract',
      uid: 4321,
      home: '/srv/c d',
      shell: '/bin/sh',
      groups: ['adm', 'games'],
    }),
    start: 'userdel contract 2>/dev/null; groupdel contract 2>/dev/null; :',
    end: 'userdel contract',
    drifts: [
      { how: 'usermod -s /bin/false contract', fields: ['shell'] },
      { how: 'usermod -u 4322 contract', fields: ['uid'] },
      { how: 'usermod -d /elsewhere contract', fields: ['home'] },
      { how: 'gpasswd -d contract games', fields: ['groups'] },
      { how: 'usermod -g games contract', fields: ['group'] },
      { how: 'userdel contract', fields: ['state'] },
    ],
    watch: ['/etc/passwd', '/etc/group', '/etc/shadow'],
  },
  {
    name: 'sysctl of the network, which a container may set',
    resource: sysctl({ key: 'net.ipv4.ip_local_port_range', value: '20000 60000' }),
    start:
      'rm -f /etc/sysctl.d/90-odoo-prov-*; echo 32768 60999 > /proc/sys/net/ipv4/ip_local_port_range',
    end: 'rm -f /etc/sysctl.d/90-odoo-prov-*',
    drifts: [
      { how: 'echo 30000 50000 > /proc/sys/net/ipv4/ip_local_port_range', fields: ['live'] },
      { how: 'rm /etc/sysctl.d/90-odoo-prov-*', fields: ['boot'] },
    ],
    watch: ['/etc/sysctl.d'],
  },
  {
    name: 'mount',
    resource: mount({ path: `${HERE}/a b`, source: 'tmpfs', fstype: 'tmpfs', options: 'size=1m' }),
    start: `umount '${HERE}/a b' 2>/dev/null; ${CLEAN}; sed -i /contract/d /etc/fstab 2>/dev/null; :`,
    end: `umount '${HERE}/a b'; sed -i /contract/d /etc/fstab`,
    drifts: [
      { how: `umount '${HERE}/a b'`, fields: ['mounted'] },
      { how: `sed -i s/size=1m/size=2m/ /etc/fstab`, fields: ['options'] },
      { how: `sed -i /contract/d /etc/fstab`, fields: ['source', 'fstype', 'options'] },
    ],
    watch: ['/etc'],
  },
  {
    name: 'check',
    resource: check({
      name: 'ready',
      command: `cat ${HERE}/ready`,
      expect: 'yes',
      within: 20,
      describes: 'the service is ready',
    }),
    start: `${CLEAN}; (sleep 0.7; echo yes > ${HERE}/ready) >/dev/null 2>&1 &`,
    watch: ['/etc'],
    kills: false,
  },
];

const serviceText = `[Unit]
Description=Contract
[Service]
ExecStart=/bin/sh -c 'cat ${HERE}/app.conf >> ${HERE}/read; exec sleep infinity'
ExecReload=/bin/sh -c 'cat ${HERE}/reload.conf >> ${HERE}/read'
[Install]
WantedBy=multi-user.target
`;
const STOP = 'systemctl disable --now --quiet contract.service 2>/dev/null';
const INSTALL = `${CLEAN}; echo a > ${HERE}/app.conf; echo b > ${HERE}/reload.conf
cat > /usr/lib/systemd/system/contract.service <<'UNIT'
${serviceText}UNIT
systemctl daemon-reload`;

const units: readonly ContractCase[] = [
  {
    name: 'unit that runs',
    resource: unit({
      name: 'contract',
      restartFor: [`file:${HERE}/app.conf`],
      reloadFor: [`file:${HERE}/reload.conf`],
    }),
    start: `systemctl unmask contract.service 2>/dev/null; ${STOP}; ${INSTALL}`,
    end: `${STOP}; rm -rf ${HERE} /usr/lib/systemd/system/contract.service; systemctl daemon-reload`,
    drifts: [
      { how: 'systemctl stop contract', fields: ['active'] },
      { how: 'systemctl disable --quiet contract', fields: ['enabled'] },
      { how: `echo c > ${HERE}/app.conf`, fields: ['restart'] },
      { how: `echo c > ${HERE}/reload.conf`, fields: ['reload'] },
      {
        how: `rm ${HERE}/reload.conf; echo d > ${HERE}/app.conf; touch ${HERE}/reload.conf`,
        fields: ['restart', 'reload'],
      },
      {
        how: 'echo "# changed" >> /usr/lib/systemd/system/contract.service',
        fields: ['daemonReload'],
      },
      {
        how: 'systemctl stop contract; systemctl mask --quiet contract',
        fields: ['active', 'enabled'],
      },
    ],
    watch: [HERE, '/etc/systemd', '/usr/lib/systemd', '/var/lib'],
  },
  {
    name: 'unit that is stopped',
    resource: unit({ name: 'contract', running: false }),
    start: `${INSTALL}; systemctl enable --now --quiet contract`,
    end: `rm -rf ${HERE} /usr/lib/systemd/system/contract.service; systemctl daemon-reload`,
    drifts: [
      { how: 'systemctl start contract', fields: ['active'] },
      { how: 'systemctl enable --quiet contract', fields: ['enabled'] },
    ],
    watch: ['/etc/systemd'],
  },
  {
    name: 'unit masked before its package exists',
    resource: unit({ name: 'contract-later', masked: true }),
    start: 'systemctl unmask --quiet contract-later.service 2>/dev/null; :',
    end: 'systemctl unmask --quiet contract-later.service',
    watch: ['/etc/systemd'],
  },
];

const JOB = '/usr/lib/systemd/system/contract-job.service';
const jobs: readonly ContractCase[] = [
  {
    name: 'job',
    resource: job({
      unit: 'contract-job.service',
      stamp: `${HERE}/done`,
      within: 20,
      describes: 'the job',
    }),
    start: `systemctl stop contract-job 2>/dev/null; systemctl reset-failed contract-job 2>/dev/null
${CLEAN}; printf '[Service]\\nType=oneshot\\nExecStart=/bin/sh -c "test ! -e ${HERE}/broken && touch ${HERE}/done"\\n' > ${JOB}
systemctl daemon-reload`,
    end: `rm -rf ${HERE} ${JOB}; systemctl daemon-reload`,
    drifts: [
      { how: `rm ${HERE}/done`, fields: ['last run'] },
      {
        how: `touch ${HERE}/broken; systemctl start contract-job 2>/dev/null; rm ${HERE}/broken`,
        fields: ['last run'],
      },
    ],
    watch: ['/etc/systemd', '/var/lib'],
  },
];

const KEY = '-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDMEZ\n-----END PGP PUBLIC KEY BLOCK-----';
const packages: readonly ContractCase[] = [
  {
    name: 'package',
    resource: aptPackage({ name: 'hello' }),
    start: 'dpkg --purge hello >/dev/null 2>&1; :',
    drifts: [
      { how: 'dpkg --remove hello >/dev/null', fields: ['state'] },
      {
        how: 'cd /tmp; deb=$(find /var/cache/apt/archives -name "hello_*.deb"); test -n "$deb" || { apt-get -qq download hello; deb=$(ls hello_*.deb); }; dpkg --unpack "$deb" >/dev/null; rm -f hello_*.deb',
        fields: ['status'],
      },
    ],
    watch: ['/etc/apt'],
    kills: false,
  },
  {
    name: 'package that must be absent',
    resource: absentPackage('hello'),
    start:
      'dpkg -s hello >/dev/null 2>&1 || DEBIAN_FRONTEND=noninteractive apt-get -qq install hello >/dev/null 2>&1',
    watch: ['/etc/apt'],
    kills: false,
  },
  {
    name: 'apt source',
    resource: aptSource({
      name: 'contract',
      uris: ['http://198.51.100.254/debian'],
      suites: ['stable'],
      components: ['main'],
      key: KEY,
      options: { 'Check-Valid-Until': 'no', Enabled: 'no' },
      pin: { pin: 'release a=contract', priority: 100 },
    }),
    start: 'rm -f /etc/apt/*/contract.*',
    end: 'rm -f /etc/apt/*/contract.*',
    drifts: [
      { how: 'echo >> /etc/apt/keyrings/contract.asc', fields: ['key'] },
      { how: 'echo >> /etc/apt/sources.list.d/contract.sources', fields: ['source'] },
      { how: 'rm /etc/apt/preferences.d/contract.pref', fields: ['pin'] },
      { how: 'rm /etc/apt/*/contract.*', fields: ['state'] },
    ],
    watch: ['/etc/apt'],
  },
];

const releases: readonly Release[] = ['trixie', 'bookworm'];
describe.each(releases)('on Debian %s', (release) => {
  let shell: HostShell;
  beforeAll(async () => {
    const lab = await testLab(`contract-${release}`, { release, hosts: [{ name: 'h1' }] });
    shell = labShell(lab, 'h1');
  });
  describeKind(() => shell, [...files, ...system, ...units, ...jobs, ...packages]);
});
