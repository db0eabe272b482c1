import { createHash } from 'node:crypto';
import { dirname, resolve } from 'node:path';
import { stringify } from 'yaml';
import { runsOdoo } from '../inventory/cluster.js';
import type { Cluster, Host } from '../inventory/index.js';
import { labOfInventory, type Lab, type LabBind, type LabSpec } from '../lab/index.js';

/** What the hosts of a lab share. */
export interface Machine {
  /** Bytes. */
  readonly memory: number;
  readonly cores: number;
}

/** Roles that read and write the filestore. */
/** The name of the folder that stands for a shared mount. */
const SHARED = 'filestore';
const MIB = 1024 ** 2;

/**
 * The name of an inventory's lab on this machine: the same file always has the same one, a copy of it in
 * another checkout has another. The inventory that `lab up` writes is of the lab that it leads to.
 */
export function labNameOf(cluster: Cluster): string {
  const written = labOfInventory(cluster.file);
  if (written !== undefined) return written;
  const digest = createHash('sha256').update(cluster.file).digest('hex').slice(0, 6);
  return `${cluster.name.slice(0, 30).replace(/-+$/, '')}-${digest}`;
}

/**
 * What each host may have of the machine: an equal share, a fifth kept for the machine itself. Cores are
 * shared rather than divided when there are more hosts than cores.
 */
export function shareOf(machine: Machine, hosts: number): Machine {
  const memory = Math.floor((machine.memory * 0.8) / hosts / (64 * MIB)) * 64 * MIB;
  return {
    memory: Math.max(memory, 512 * MIB),
    cores: Math.max(1, Math.floor(machine.cores / hosts)),
  };
}

/** The lab that an inventory's hosts become. */
export function labSpecOf(cluster: Cluster, machine: Machine): LabSpec {
  const share = shareOf(machine, cluster.hosts.length);
  return {
    name: labNameOf(cluster),
    hosts: cluster.hosts.map((host) => ({
      name: host.name,
      memory: `${String(share.memory / MIB)}M`,
      cores: share.cores,
      binds: bindsOf(cluster, host),
    })),
  };
}

/** With a shared filestore: one folder for all, which an edge may only read. */
function bindsOf(cluster: Cluster, host: Host): readonly LabBind[] {
  if (cluster.filestore.type !== 'posix') return [];
  const writes = runsOdoo(host);
  if (!writes && !host.roles.includes('edge')) return [];
  return [{ source: SHARED, target: cluster.filestore.path, readOnly: !writes }];
}

type Data = Readonly<Record<string, unknown>>;

/**
 * The inventory for the lab: the same cluster at other addresses, with this machine's memory and cores.
 * Odoo comes from Debian where the inventory wants the nightly one.
 * @param data the inventory's YAML as data, already checked
 */
export function labInventory(data: Data, cluster: Cluster, lab: Lab, machine: Machine): string {
  const share = shareOf(machine, cluster.hosts.length);
  const hosts = section(data['hosts']);
  const derived = {
    ...data,
    cluster: cluster.name,
    ssh: { user: 'root', key: lab.key, known_hosts: lab.knownHosts, host_key: 'strict' },
    odoo: { ...section(data['odoo']), ...sourceOf(section(data['odoo']), cluster) },
    ...edgeOf(data['edge'], cluster),
    ...postgresOf(section(data['postgres']), cluster),
    hosts: Object.fromEntries(
      lab.hosts.map(({ name, address, port }) => [
        name,
        {
          ...section(hosts[name]),
          address,
          ssh: { port },
          memory: `${String(share.memory / MIB)}MB`,
          cores: share.cores,
        },
      ]),
    ),
  };
  return `# Made from ${cluster.file} for the lab ${lab.name}: the next run writes it anew.\n${stringify(derived)}`;
}

/** Debian has 19.0 only; a repository of one's own is kept, its key found from the lab's folder too. */
function sourceOf(odoo: Data, cluster: Cluster): Data {
  const apt = section(section(odoo['source'])['apt']);
  const key = apt['key'];
  if (typeof key === 'string') {
    return { source: { apt: { ...apt, key: resolve(dirname(cluster.file), key) } } };
  }
  return { version: '19.0', source: { debian: { accept_unstable: true } } };
}

/** Certificates were given relative to the inventory; the lab's lies elsewhere. */
function edgeOf(edge: unknown, cluster: Cluster): Data {
  const { tls } = cluster.edge;
  return tls === 'self-signed' ? {} : { edge: { ...section(edge), tls: { ...tls } } };
}

/** The same for the authority of a bucket. */
function postgresOf(postgres: Data, cluster: Cluster): Data {
  const backup = section(postgres['backup']);
  const s3 = section(backup['s3']);
  const ca = s3['ca'];
  if (typeof ca !== 'string' || ca.startsWith('~')) return {};
  const found = { ...s3, ca: resolve(dirname(cluster.file), ca) };
  return { postgres: { ...postgres, backup: { ...backup, s3: found } } };
}

function section(value: unknown): Data {
  return typeof value === 'object' && value !== null ? (value as Data) : {};
}
