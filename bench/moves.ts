import { setTimeout as sleep } from 'node:timers/promises';
import { powerCut, powerOn } from '../src/lab/index.js';
import { databaseLab, type DatabaseLab } from '../test/support/database-lab.js';
import { printed, type ProgramEnd } from '../test/support/program.js';
import { longestGap, missing, startWriters } from '../test/support/writers.js';
import { two } from './report.js';
import { spread } from './statistics.js';

/*
 * `npm run bench:moves [-- RUNS]`: how long clients cannot write while the primary is moved, in the lab of the database
 * suites. Each run has eight writers and a ledger; a row that was acknowledged and is missing ends it.
 */

const CLIENTS = 8;
/** Seconds between two rows of a client: each row is a new psql, and more of them would keep two cores busy. */
const PAUSE = 0.2;
const PRIMARIES = ['db1', 'db2'] as const;
/** What the servers' own log says of a promotion. */
const PROMOTION = `ls -t /var/log/postgresql/odoo-prov/*.log | head -n 1 | xargs grep -E 'received promote request|ready to accept connections' | tail -n 2 | cut -c 12-23`;

interface Move {
  /** Seconds between two acknowledged writes, of whichever client. */
  readonly gap: number;
  /** Seconds of the command, from the first thing it did until a PgBouncer let clients through. */
  readonly executed: number;
  /** Seconds from the request to promote until the new primary took connections, by its own log. */
  readonly promoted: number;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function must(end: ProgramEnd): ProgramEnd {
  if (end.code !== 0) throw new Error(printed(end));
  return end;
}

/** Seconds of a day. */
function clock(text: string): number {
  const [hours = 0, minutes = 0, seconds = 0] = text.split(':').map(Number);
  return hours * 3600 + minutes * 60 + seconds;
}

async function promotion(lab: DatabaseLab, host: string): Promise<number> {
  const [from = '', to = ''] = (await lab.must(host, PROMOTION)).trim().split('\n');
  return clock(to) - clock(from);
}

/** Moves the primary to a host under load. @param move runs the command that does it */
async function measure(
  lab: DatabaseLab,
  to: string,
  move: () => Promise<ProgramEnd>,
): Promise<Move> {
  const writers = await startWriters(lab, CLIENTS, PAUSE);
  await sleep(3000);
  const end = await move();
  await sleep(3000);
  const acknowledged = await writers.stop();
  must(end);
  const lost = await missing(lab, to, acknowledged);
  if (lost.length > 0) throw new Error(`${String(lost.length)} acknowledged rows are missing`);
  const through = /^ *([\d.]+) s {2}\S+: PgBouncer lets clients through/m.exec(end.stdout);
  return {
    gap: longestGap(acknowledged),
    executed: Number(through?.[1]),
    promoted: await promotion(lab, to),
  };
}

async function failover(lab: DatabaseLab, from: string, to: string): Promise<Move> {
  const result = await measure(lab, to, async () => {
    await powerCut(lab.lab, from);
    return lab.run('failover', '--to', to, '--confirm-dead', from, '--yes');
  });
  await powerOn(lab.lab, from);
  // A host that boots takes no SSH for a moment.
  for (let tries = 0; ; tries += 1) {
    const end = await lab.run('rejoin', '--host', from, '--yes');
    if (end.code === 0) break;
    if (tries === 10) throw new Error(printed(end));
    await sleep(3000);
  }
  must(await lab.apply());
  return result;
}

function row(what: string, values: readonly number[]): string {
  const { min, median, max } = spread(values);
  return [what.padEnd(52), ...[min, median, max].map((value) => two(value).padStart(7))].join('');
}

function table(name: string, moves: readonly Move[]): string {
  return [
    `${`${name}, ${String(moves.length)} runs, s`.padEnd(52)}    min    p50    max`,
    row(
      '  no client got a row saved',
      moves.map(({ gap }) => gap),
    ),
    row(
      '  from its first step until clients are let through',
      moves.map((m) => m.executed),
    ),
    row(
      '  PostgreSQL alone: asked to promote until ready',
      moves.map((m) => m.promoted),
    ),
  ].join('\n');
}

const runs = Number(process.argv[2] ?? 10);
const lab = await databaseLab();
must(await lab.apply());
// A bench that was ended may have left the other one as primary.
const start = await lab.run('switchover', '--to', PRIMARIES[0], '--yes');
if (!printed(start).includes('it is the primary already')) must(start);
const moves = { switchover: [] as Move[], failover: [] as Move[] };
for (let run = 0; run < runs; run += 1) {
  const [from, to] = run % 2 === 0 ? PRIMARIES : ([PRIMARIES[1], PRIMARIES[0]] as const);
  moves.switchover.push(await measure(lab, to, () => lab.run('switchover', '--to', to, '--yes')));
  moves.failover.push(await failover(lab, to, from));
  // The next run begins at the other one.
  must(await lab.run('switchover', '--to', to, '--yes'));
  process.stderr.write(`run ${String(run + 1)} of ${String(runs)}\n`);
}
say(table('switchover', moves.switchover));
say(table('failover after a power cut', moves.failover));
