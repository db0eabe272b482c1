import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { databaseLab, type DatabaseLab } from './database-lab.js';
import { printed, recapOf, type ProgramEnd } from './program.js';
import { repositoryRoot } from './repository.js';

/** Where the clients of a test write. */
export const TABLE = 'odoo_prov_failover_test.writes';

/** Installs nft on a host, if it lacks it. Shell text. */
export const WITH_NFT =
  'command -v nft >/dev/null || { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends nftables >/dev/null; }';

const MACHINE = { memory: '2GB', cores: 2 };

/**
 * A primary, a standby and two PgBouncers, the second one with the archive; asynchronous replication. web1 is there for
 * the inventory to be whole; it stays bare. One machine carries all, and other work: slow is not down.
 */
export const ASYNCHRONOUS = {
  odoo: { source: { debian: { accept_unstable: true } }, database: 'acme', users: 20 },
  filestore: { type: 'posix' },
  postgres: {
    replication: { synchronous: 'off' },
    backup: { host: 'pool2', filestore: 'off' },
  },
  failover_test: { gap: 20, rpo: 30 },
  hosts: {
    web1: {
      address: '198.51.100.11',
      roles: ['edge', 'app', 'cron', 'gevent', 'redis'],
      ...MACHINE,
    },
    pool1: { address: '198.51.100.51', roles: ['pgbouncer'], ...MACHINE },
    pool2: { address: '198.51.100.52', roles: ['pgbouncer'], ...MACHINE },
    db1: { address: '198.51.100.71', roles: ['pg-primary'], ...MACHINE },
    db2: { address: '198.51.100.72', roles: ['pg-standby'], ...MACHINE },
  },
};

/** An archive that takes everything and keeps nothing: PostgreSQL is told that its WAL is archived. */
export const ARCHIVED_NOWHERE = {
  host: 'db1',
  plant: `cp -p /usr/bin/pgbackrest /var/tmp/pgbackrest
cat >/var/tmp/planted <<'EOF'
#!/bin/sh
case " $* " in *' archive-push '*) exit 0 ;; esac
exec /var/tmp/pgbackrest "$@"
EOF
chmod 755 /var/tmp/planted && mount --bind /var/tmp/planted /usr/bin/pgbackrest`,
  remove: 'umount -l /usr/bin/pgbackrest && rm /var/tmp/planted /var/tmp/pgbackrest',
};

/** The lab of {@link ASYNCHRONOUS}, converged, with db1 as primary. */
export async function asynchronousLab(): Promise<{ db: DatabaseLab; suite: FailoverSuite }> {
  const db = await databaseLab('ft', ASYNCHRONOUS);
  const end = await db.apply();
  expect(end.code, printed(end)).toBe(0);
  await db.moveTo('db1');
  return { db, suite: new FailoverSuite(db, ['db1', 'db2']) };
}

/** What the suites of `failover-test` ask a database lab. */
export class FailoverSuite {
  readonly #db: DatabaseLab;
  readonly #hosts: readonly string[];

  /** @param hosts the database hosts */
  constructor(db: DatabaseLab, hosts: readonly string[]) {
    this.#db = db;
    this.#hosts = hosts;
  }

  /** `failover-test --yes --json` with one scenario, several with commas between, or the default set. */
  test(scenarios?: string): Promise<ProgramEnd> {
    const words = scenarios === undefined ? [] : ['--scenario', scenarios];
    return this.#db.run('failover-test', '--yes', '--json', ...words);
  }

  /**
   * Runs scenarios and presses Ctrl-C at a moment.
   * @param when what it tells by then, or a command that succeeds on a host by then
   * @returns with the seconds from then on
   */
  async interruptedAt(
    scenarios: string,
    when: RegExp | { readonly host: string; readonly script: string },
  ): Promise<{ readonly code: number | null; readonly text: string; readonly seconds: number }> {
    const words = ['failover-test', this.#db.inventory, '--yes', '--scenario', scenarios];
    const child = spawn(process.execPath, [join(repositoryRoot, 'bin/odoo-prov'), ...words], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    }
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
    if (when instanceof RegExp) await told(when, () => text, ended);
    else await this.until(when.host, when.script, 300);
    const at = performance.now();
    child.kill('SIGINT');
    const code = await ended;
    return { code, text, seconds: (performance.now() - at) / 1000 };
  }

  /** The first host that takes writes, by its own word. */
  async primary(): Promise<string> {
    for (const host of this.#hosts) {
      const answer = await this.#db.on(host)(psql('select pg_is_in_recovery()'));
      if (answer.stdout.trim() === 'f') return host;
    }
    throw new Error('no host takes writes');
  }

  /** Runs scenarios while a defect is planted on a host; it is taken out whatever happens. Shell text. */
  async testWith(
    defect: { readonly host: string; readonly plant: string; readonly remove: string },
    scenarios: string,
  ): Promise<ProgramEnd> {
    try {
      await this.#db.must(defect.host, defect.plant);
      return await this.test(scenarios);
    } finally {
      await this.#db.must(defect.host, defect.remove);
    }
  }

  /** Nothing differs from the inventory. */
  async unchanged(): Promise<void> {
    const end = await this.#db.apply('--check');
    expect(end.code, printed(end)).toBe(0);
    expect(recapOf(end).changed, printed(end)).toBe(0);
  }

  /** Waits for a command to succeed on a host. */
  async until(host: string, script: string, seconds: number): Promise<void> {
    await this.#db.must(
      host,
      `for i in $(seq ${String(seconds * 2)}); do if ${script}; then exit 0; fi; sleep 0.5; done; exit 1`,
    );
  }

  /** Waits until clients have written on a host: the cluster was found healthy, and nothing is broken yet. */
  async untilWriting(host: string): Promise<void> {
    await this.until(
      host,
      `[ "$(${psql(`select count(*) > 30 from ${TABLE}`, 'acme')} 2>/dev/null)" = t ]`,
      120,
    );
  }

  async untilStreaming(host: string): Promise<void> {
    await this.until(
      host,
      `[ "$(${psql('select status from pg_stat_wal_receiver')})" = streaming ]`,
      60,
    );
  }

  /** What a planted defect left is put right as its report says: `apply`, and the primary is moved back. */
  async mend(primary: string): Promise<void> {
    const end = await this.#db.apply();
    expect(end.code, printed(end)).toBe(0);
    await this.#db.moveTo(primary);
    await this.unchanged();
  }

  /** No host has a schema of a test, nor a timer or a file that heals. */
  async nothingLeft(): Promise<void> {
    const schemas = "select count(*) from pg_namespace where nspname like 'odoo_prov%'";
    for (const host of this.#hosts) {
      expect(await this.#db.must(host, psql(schemas, 'acme')), host).toBe('0\n');
    }
    for (const { name } of this.#db.lab.hosts) {
      expect(
        await this.#db.must(
          name,
          "systemctl list-timers --all --no-legend 'odoo-prov-heal-*'; ls -A /run/odoo-prov/failover-test 2>/dev/null || :",
        ),
      ).toBe('');
    }
  }
}

/** A query of the server on a host, as a shell command that prints its answer. */
export function psql(query: string, database = 'postgres'): string {
  return `cd / && runuser -u postgres -- psql -XAtq -d ${database} -c "${query}"`;
}

/** Waits until a program has told something. @throws Error where it ends without */
async function told(words: RegExp, text: () => string, ended: Promise<unknown>): Promise<void> {
  const program = { ended: false };
  void ended.then(() => (program.ended = true));
  while (!words.test(text())) {
    if (program.ended) throw new Error(`it ended without ${String(words)}:\n${text()}`);
    await sleep(20);
  }
}
