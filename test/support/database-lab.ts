import { mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { labOf } from '../../src/cli/lab.js';
import { loadSoundCluster } from '../../src/cli/load-inventory.js';
import type { Lab } from '../../src/lab/index.js';
import { labShell, must, type HostShell } from './host-shell.js';
import { labOptions, TEST_LAB_PREFIX } from './lab.js';
import { buildProgram, odooProv, printed, type ProgramEnd } from './program.js';

/** The database tier by itself, with the poolers before it and without Odoo: what its suites share. */
export interface DatabaseLab {
  readonly lab: Lab;
  /** The inventory that leads to the hosts. */
  readonly inventory: string;
  address(host: string): string;
  on(host: string): HostShell;
  /** Runs a script as root on a host; what ends with another code than 0 is an error. */
  must(host: string, script: string): Promise<string>;
  /** One query to the server on a host, as the superuser; rows as lines. */
  sql(host: string, query: string): Promise<string>;
  /** `odoo-prov COMMAND INVENTORY WORDS`. */
  run(command: string, ...words: readonly string[]): Promise<ProgramEnd>;
  /** Moves the primary there, where another suite has left it elsewhere. */
  moveTo(host: string): Promise<void>;
  /** `apply --json` of all hosts but web1. */
  apply(...words: readonly string[]): Promise<ProgramEnd>;
}

const MACHINE = { memory: '2GB', cores: 2 };

/** web1 is there for the inventory to be whole; it stays bare. */
const INVENTORY = {
  odoo: { source: { debian: { accept_unstable: true } }, database: 'acme', users: 20 },
  filestore: { type: 'posix' },
  postgres: { replication: { synchronous: 'on' } },
  // One machine carries all hosts, and other work: slow is not down.
  failover_test: { gap: 20 },
  hosts: {
    web1: {
      address: '198.51.100.11',
      roles: ['edge', 'app', 'cron', 'gevent', 'redis'],
      ...MACHINE,
    },
    pool1: { address: '198.51.100.51', roles: ['pgbouncer'], ...MACHINE },
    db1: { address: '198.51.100.71', roles: ['pg-primary'], ...MACHINE },
    db2: { address: '198.51.100.72', roles: ['pg-standby'], ...MACHINE },
    db3: { address: '198.51.100.73', roles: ['pg-standby'], ...MACHINE },
    db4: { address: '198.51.100.74', roles: ['pg-replica'], ...MACHINE },
  },
};

/**
 * Brings the lab up, bare if it is new.
 * @param content of the inventory, without its `cluster`
 */
export async function databaseLab(name = 'db', content: object = INVENTORY): Promise<DatabaseLab> {
  buildProgram();
  const folder = join(tmpdir(), `odoo-prov-${TEST_LAB_PREFIX}${name}`);
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'cluster.yaml');
  writeFileSync(file, stringify({ cluster: `${TEST_LAB_PREFIX}${name}`, ...content }));
  const up = await odooProv(['lab', 'up', file, ...labOptions()]);
  if (up.code !== 0) throw new Error(printed(up));
  const { lab, inventory } = await labOf(loadSoundCluster(file, true));
  const shells = new Map(lab.hosts.map((host) => [host.name, labShell(lab, host.name)]));
  const on = (host: string): HostShell => {
    const shell = shells.get(host);
    if (shell === undefined) throw new Error(`the database lab has no host ${host}`);
    return shell;
  };
  const tier = lab.hosts.map((host) => host.name).filter((host) => host !== 'web1');
  const run: DatabaseLab['run'] = (command, ...words) => odooProv([command, inventory, ...words]);
  const sql: DatabaseLab['sql'] = async (host, query) =>
    (
      await must(
        on(host),
        `cd / && runuser -u postgres -- psql -XAtq -v ON_ERROR_STOP=1 <<'EOF'\n${query}\nEOF`,
      )
    ).trim();
  const moveTo = async (host: string): Promise<void> => {
    if ((await sql(host, 'select pg_is_in_recovery()')) === 'f') return;
    const end = await run('switchover', '--to', host, '--yes');
    if (end.code !== 0) throw new Error(printed(end));
  };
  return {
    ...{ lab, inventory, on, run, sql, moveTo },
    address: (host) => lab.hosts.find((other) => other.name === host)?.address ?? '',
    must: (host, script) => must(on(host), script),
    apply: (...words) => run('apply', '--json', '--limit', tier.join(','), ...words),
  };
}
