import type { DatabaseLab } from './database-lab.js';

/** One write that a client was told to be safe. */
export interface Acknowledged {
  readonly client: number;
  readonly sequence: number;
  /** Seconds since 1970, when the answer came. */
  readonly at: number;
}

/** Clients that write through PgBouncer, and a ledger outside the database of what was acknowledged. */
export interface Writers {
  stop(): Promise<readonly Acknowledged[]>;
}

const FOLDER = '/run/odoo-prov-writers';
/** Seconds after which they stop by themselves, whatever becomes of the test. */
const LONGEST = 180;

/**
 * Starts clients on the pooler's own host; each inserts one row after the other and notes what was committed.
 * @param pause seconds between two rows of a client
 */
export async function startWriters(
  lab: DatabaseLab,
  clients: number,
  pause = 0.05,
): Promise<Writers> {
  // Not Debian's /usr/bin/psql: a Perl program that looks for the right one, for as long as all the rest takes.
  const psql =
    'PGPASSFILE=/etc/odoo-prov/pgbouncer.pgpass PGCONNECT_TIMEOUT=5 timeout 30 /usr/lib/postgresql/*/bin/psql -XAtqw -h 127.0.0.1 -p 6432 -U odoo -d acme';
  await lab.must(
    'pool1',
    `rm -rf ${FOLDER}; mkdir -p ${FOLDER}; touch ${FOLDER}/run
${psql} -c 'create table if not exists ledger (client int, sequence int, primary key (client, sequence))'
${psql} -c 'truncate ledger'
cat >${FOLDER}/client <<'EOF'
end=$(($(date +%s) + ${String(LONGEST)}))
sequence=0
while [ -e ${FOLDER}/run ] && [ "$(date +%s)" -lt "$end" ]; do
  sequence=$((sequence + 1))
  until ${psql} -v ON_ERROR_STOP=1 -c "insert into ledger values ($1, $sequence)" >/dev/null 2>&1; do
    [ -e ${FOLDER}/run ] && [ "$(date +%s)" -lt "$end" ] || exit 0
    # The answer may have been lost, not the row: the next number, this one counts as unknown.
    sequence=$((sequence + 1))
    sleep 0.1
  done
  echo "$1 $sequence $(date +%s.%N)" >>${FOLDER}/ledger.$1
  sleep ${String(pause)}
done
EOF
for client in $(seq ${String(clients)}); do
  setsid sh ${FOLDER}/client "$client" </dev/null >/dev/null 2>&1 &
done`,
  );
  return {
    stop: async () => {
      const text = await lab.must(
        'pool1',
        `rm -f ${FOLDER}/run
for i in $(seq 350); do pgrep -f ${FOLDER}/client >/dev/null || break; sleep 0.1; done
cat ${FOLDER}/ledger.*`,
      );
      return text
        .trim()
        .split('\n')
        .map((line) => {
          const [client, sequence, at] = line.split(' ').map(Number);
          return { client: client ?? 0, sequence: sequence ?? 0, at: at ?? 0 };
        });
    },
  };
}

/** The acknowledged writes that a server does not have. */
export async function missing(
  lab: DatabaseLab,
  host: string,
  acknowledged: readonly Acknowledged[],
): Promise<readonly Acknowledged[]> {
  const rows = await lab.must(
    host,
    `cd / && runuser -u postgres -- psql -XAtq -F ' ' -d acme -c 'select client, sequence from ledger'`,
  );
  const present = new Set(rows.split('\n'));
  return acknowledged.filter(
    ({ client, sequence }) => !present.has(`${String(client)} ${String(sequence)}`),
  );
}

/** The longest time, in seconds, in which no client at all was told of a success. */
export function longestGap(acknowledged: readonly Acknowledged[]): number {
  const times = acknowledged.map(({ at }) => at).sort((a, b) => a - b);
  return Math.max(0, ...times.slice(1).map((at, index) => at - (times[index] ?? at)));
}
