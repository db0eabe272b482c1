import type { Kind, Resource } from './kind.js';
import { literal, parseSql, probeSql, runSql, statesFrom } from './postgres-sql.js';

export interface PostgresSlot extends Resource {
  readonly kind: 'postgresSlot';
  readonly name: string;
}

/**
 * A physical replication slot of the local server. It is there on standbys too, where it holds nothing back,
 * so that after a promotion the others are served at once. One that holds WAL back on a standby, or has lost
 * what it held, is made anew.
 */
export function postgresSlot(name: string): PostgresSlot {
  return { kind: 'postgresSlot', id: name, name };
}

/** SQL that makes a slot where there is none; it answers with the slot that it made: `(db1,)`. */
export function createSlotSql(name: string): string {
  return `select pg_create_physical_replication_slot(${literal(name)})
  where not exists (select from pg_replication_slots where slot_name = ${literal(name)});`;
}

/** SQL that removes a slot that has lost what it held: whoever asks for it is refused. */
export function dropLostSlotSql(name: string): string {
  return dropSlotSql(name, "wal_status = 'lost'");
}

function dropSlotSql(name: string, condition: string): string {
  return `select pg_drop_replication_slot(slot_name) from pg_replication_slots
  where slot_name = ${literal(name)} and not active and (${condition});`;
}

export const postgresSlotKind: Kind<PostgresSlot> = {
  name: 'postgresSlot',
  summary: 'a physical replication slot; on a standby it holds nothing back',

  probe(wanted) {
    const names = wanted.map(({ name }) => literal(name)).join(', ');
    return probeSql(`
select slot_name, case
    when wal_status = 'lost' then 'lost'
    when pg_is_in_recovery() and not active and restart_lsn is not null then 'holds WAL back'
    else 'usable' end
from pg_replication_slots where slot_type = 'physical' and slot_name in (${names});`);
  },

  parse(output, wanted) {
    return statesFrom(parseSql(output), wanted, ({ name }, rows) => {
      const row = rows.find(([slot]) => slot === name);
      return row === undefined ? 'absent' : { slot: row[1] ?? '' };
    });
  },

  want: () => ({ slot: 'usable' }),

  apply({ resource: { name } }) {
    return runSql(
      'postgres',
      `
${dropSlotSql(name, "wal_status = 'lost' or pg_is_in_recovery() and restart_lsn is not null")}
${createSlotSql(name)}
`,
    );
  },
};
