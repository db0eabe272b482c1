import { Failure } from '../failure/failure.js';
import { databaseHosts } from '../inventory/cluster.js';
import type { Stranded } from '../facts/stranded.js';
import type { Topology } from '../facts/topology.js';
import { changesOf, kindOf, type Plan } from '../plan/diff.js';
import { restoreAgain } from '../postgres/cut-restore.js';
import { RESTORING } from '../postgres/layout.js';
import { keyOf } from '../resource/kind.js';
import { statePath, type ClusterState } from '../state/cluster-state.js';
import type { RunContext } from './context.js';
import type { Answers } from './probe-host.js';

/** What is known of every host that was looked at. */
export type Answered = ReadonlyMap<string, Answers>;

/**
 * Refuses to create a database in place of one that may exist: one is only made when every database host
 * answered, none holds data of its own, and no earlier run recorded that there was one.
 * @throws Failure refused
 */
export function guardCreation(context: RunContext, plans: readonly Plan[], seen: Answered): void {
  for (const plan of plans) {
    for (const change of changesOf(plan)) {
      const hazard = kindOf(context.kinds, change.resource).hazard?.(change);
      if (hazard?.type !== 'creates-database') continue;
      const why = whyNotCreate(context, change.resource.kind, seen, plan.host, hazard.trace);
      if (why === undefined) continue;
      throw new Failure({
        reason: 'refused',
        host: plan.host,
        resource: keyOf(change.resource),
        message: `would create ${hazard.what}, and that is not safe now`,
        expected:
          'every database host answers, none holds data, and none was recorded for this cluster',
        found: why.found,
        remedy: why.remedy,
      });
    }
  }
}

/**
 * Refuses to go on with new passwords where a cluster has been set up with others: without its secrets
 * file, every password would be changed, and the one of Odoo's admin would be wrong.
 * @throws Failure refused
 */
export function guardSecrets(context: RunContext, seen: Answered): void {
  if (!context.secretsAreNew) return;
  const found = [...seen].flatMap(([name, { given, databases }]) => [
    ...(given.length > 0 ? [`${name} was set up by an earlier run`] : []),
    ...databases.map((database) => `${name} holds ${database.directory}`),
  ]);
  if (context.state.postgres !== undefined) {
    found.push(`${statePath(context.cluster.file)} records a PostgreSQL cluster`);
  }
  if (found.length > 0) throw secretsMissing(found.join(', '));
}

/** What everything is refused with that needs the secrets which a cluster was set up with. */
export function secretsMissing(found: string): Failure {
  return new Failure({
    reason: 'refused',
    message: 'the secrets of this cluster are missing, and it has been set up with them',
    expected:
      'its secrets file (….secrets.age) beside the inventory, or hosts that were never set up',
    found,
    remedy:
      'bring the secrets file back to beside the inventory (version control, another checkout, a backup), then run this again; nothing was changed',
  });
}

/**
 * Refuses to touch anything while no host holds a primary's data, nobody can tell which of the silent ones does, or two
 * hosts hold one of the same timeline: whichever were taken for the standby would lose what only it has.
 * @param silent database hosts that did not answer
 * @throws Failure refused
 */
export function guardTopology(topology: Topology, silent: readonly string[]): void {
  const { primary, rivals, withoutPrimary } = topology;
  if (withoutPrimary) throw noPrimary(topology.formerPrimaries, silent);
  if (rivals.length === 0) return;
  const all = [primary, ...rivals];
  throw new Failure({
    reason: 'refused',
    message: 'more than one host holds the data of a primary, and of the same timeline',
    expected: 'one primary; every other database host a standby (standby.signal), or without data',
    found: all.join(', '),
    remedy: `if one of them runs and takes writes, and a rejoin of the other was cut: \`odoo-prov rejoin FILE\` finishes it. Otherwise find out which has the data to keep (psql: select max(write_date) from ir_attachment), stop PostgreSQL on the other, and have it follow: ${all.map((host) => `\`odoo-prov rejoin FILE --host ${host}\``).join(' or ')}; its data is kept in a folder`,
  });
}

/**
 * There is data, and no primary's that is not outdated.
 * @param silent database hosts that did not answer
 */
export function noPrimary(formerPrimaries: readonly string[], silent: readonly string[]): Failure {
  const old = formerPrimaries.join(', ');
  const found =
    old === ''
      ? 'standby.signal on every host with data, as after a move of the primary that was cut off'
      : `a primary's data on ${old}, and a standby on a newer timeline`;
  const words = { reason: 'refused', expected: 'one primary that the standbys follow' } as const;
  if (silent.length > 0) {
    return new Failure({
      ...words,
      message: 'the primary is a database host that did not answer, and nobody can tell which',
      found: `${found}; no answer from ${silent.join(', ')}`,
      remedy: 'bring these hosts back, then run this again. Nothing was changed',
    });
  }
  return new Failure({
    ...words,
    message:
      old === ''
        ? 'no database host holds the data of a primary: all of them are standbys'
        : 'no database host holds the data of the last primary',
    found,
    remedy:
      'if another command is moving the primary at this moment, wait for its end. If its host was taken out of the inventory, put it back: `odoo-prov status FILE` says whom the standbys follow. If a move was cut off: the same command again brings it to its end; or `odoo-prov failover FILE` promotes the standby that has most; then run this again. Nothing was changed',
  });
}

/**
 * Refuses to touch anything while a restore in place has not come to its end: what is there is neither the database of
 * before nor the one that was asked for, and clients that were let in would write into it.
 * @throws Failure refused
 */
export function guardRestore(seen: Answered): void {
  const cut = new Map(
    [...seen].flatMap(([name, { restoring }]) => (restoring === null ? [] : [[name, restoring]])),
  );
  if (cut.size > 0) throw restoreNotEnded(cut);
}

/**
 * What everything but a restore is refused with while one in place has not come to its end.
 * @param cut by host, to where it goes
 */
export function restoreNotEnded(cut: ReadonlyMap<string, string>): Failure {
  return new Failure({
    reason: 'refused',
    message: 'a restore of the database has not come to its end: it runs, or was cut off',
    expected: 'the database of before, or the one that was restored',
    found: `${RESTORING} on ${[...cut.keys()].sort().join(', ')}`,
    remedy: `if it does not run: ${restoreAgain([...cut.values()])}. The data from before is kept in /var/lib/postgresql/.odoo-prov-kept on each of them. Nothing was changed`,
  });
}

/** A host with a primary's data of an older timeline: it may have rows that nobody else has. */
export function mustRejoin(host: string, primary: string): Failure {
  return new Failure({
    reason: 'not-converged',
    host,
    message: `it was primary before ${primary}, and may hold rows that nobody else has: it is neither started nor changed`,
    expected: 'a standby',
    found: "a primary's data of an older timeline",
    remedy: `odoo-prov rejoin FILE --host ${host} saves these rows and makes it a standby`,
  });
}

/** A standby that is stopped, and that a start does not help: it is left as it is. */
export function mustBeTakenBack(host: string, primary: string, why: Stranded): Failure {
  const rejoin = `odoo-prov rejoin FILE --host ${host}`;
  return new Failure({
    reason: 'not-converged',
    host,
    ...(why === 'compared'
      ? {
          message: `a rejoin started its data by itself, to compare its rows, and runs or was cut: it is neither started nor changed`,
          expected: 'a standby',
          found: "a standby's data in the hands of a rejoin",
          remedy: `if no rejoin runs: ${rejoin} goes on from there`,
        }
      : {
          message: `it went on past the point where ${primary} took over, and cannot follow: it is neither started nor changed`,
          expected: `a standby that had no more than ${primary} when that took over`,
          found: `a standby's data with WAL of the old primary that ${primary} never had`,
          remedy: `${rejoin} saves the rows that only it has, and takes it back`,
        }),
  });
}

interface Reason {
  readonly found: string;
  readonly remedy: string;
}

/** @param trace what tells on the host that there was one */
function whyNotCreate(
  context: RunContext,
  kind: string,
  seen: Answered,
  host: string,
  trace: string | undefined,
): Reason | undefined {
  const silent = databaseHosts(context.cluster).filter(({ name }) => !seen.has(name));
  if (silent.length > 0) {
    return {
      found: `no answer from ${silent.map((h) => h.name).join(', ')}`,
      remedy: 'bring these hosts back, then run apply again',
    };
  }
  const { state, cluster } = context;
  const path = statePath(cluster.file);
  const saved = cluster.postgres.backup !== undefined;
  if (kind !== 'postgresCluster') {
    if (state.odoo?.database !== cluster.odoo.database) return undefined;
    const restore = saved
      ? 'set the database back to a moment when it was there: `odoo-prov backup FILE --list`, then `odoo-prov restore FILE --to-time …`'
      : 'find out what became of it and restore it from a backup';
    return {
      found: `${path} records that the Odoo database ${state.odoo.database} was initialised`,
      remedy: `${restore}. Only if its data is really to be given up: remove "odoo" from ${path}`,
    };
  }
  const holding = databaseHosts(context.cluster).flatMap((one) =>
    (seen.get(one.name)?.databases ?? []).map((d) => `${one.name} holds ${d.directory}`),
  );
  if (holding.length > 0) {
    return {
      found: holding.join(', '),
      remedy: 'give the role pg-primary to the host that holds the data, or restore from a backup',
    };
  }
  const traces = [
    ...(state.postgres === undefined
      ? []
      : [`${path} records the PostgreSQL cluster ${state.postgres.systemIdentifier}`]),
    ...(trace === undefined ? [] : [`${host} has its configuration, ${trace}`]),
  ];
  if (traces.length === 0) return undefined;
  // In place where the host is as it was but for its data; one that is bare is set up again.
  const command = `odoo-prov restore FILE ${trace === undefined ? '--new-hosts ' : ''}--latest`;
  const restore = saved
    ? `or bring it back from the backups: \`${command}\` (\`--dry-run\` says every step)`
    : 'or restore from a backup';
  const forget = [
    ...(state.postgres === undefined ? [] : [`"postgres" and "odoo" from ${path}`]),
    ...(trace === undefined ? [] : [`${trace} on ${host}`]),
  ];
  // A new cluster would not go into the repository of this one.
  const giveUp =
    saved && trace !== undefined
      ? ''
      : `. Only if the data is really to be given up: remove ${forget.join(', and ')}`;
  return {
    found: `${traces.join('; ')}; and no host holds it`,
    remedy: `bring the disk or the host with the data back, ${restore}${giveUp}`,
  };
}

/**
 * The state with what was seen this time: facts, and the proof that databases exist. Who may be primary is not recorded, and
 * takes nobody's place: a later failover believes what is there.
 */
export function remember(
  context: RunContext,
  seen: Answered,
  topology: Topology,
  odooIsThere: boolean,
): ClusterState {
  const facts = { ...context.state.facts };
  for (const [name, answers] of seen) facts[name] = { ...answers.facts };
  const odoo = odooIsThere ? { database: context.cluster.odoo.database } : context.state.odoo;
  const { recoveryCopy } = context.state;
  const { systemIdentifier, primarySeen } = topology;
  const recorded = context.state.postgres?.systemIdentifier ?? systemIdentifier;
  const primary = primarySeen ? topology.primary : context.state.postgres?.primary;
  const postgres =
    recorded === undefined
      ? undefined
      : { systemIdentifier: recorded, ...(primary === undefined ? {} : { primary }) };
  return {
    ...(postgres === undefined ? {} : { postgres }),
    ...(odoo === undefined ? {} : { odoo }),
    ...(recoveryCopy === undefined ? {} : { recoveryCopy }),
    facts: Object.fromEntries(Object.entries(facts).sort()),
  };
}
