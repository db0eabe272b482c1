import { describe, expect, it } from 'vitest';
import { odooSessionsSql, type OdooSessions } from '../../../src/status/odoo-sessions.js';
import { judge } from '../../../src/status/rules.js';
import { testCluster, testHost } from '../../support/site.js';
import { RECORDED } from './recorded.js';
import { db1, front, seen } from './statuses.js';

const NONE: OdooSessions = { readOnly: [], readOnlyFile: null, settings: [] };

/** What is told of a primary that says this of Odoo's sessions. */
function told(sessions: Partial<OdooSessions>): readonly string[] {
  const { primary, standby } = RECORDED.streaming;
  const text = primary.replace(JSON.stringify(NONE), JSON.stringify({ ...NONE, ...sessions }));
  return judge(seen(db1(text), front(standby))).alerts.map(
    (a) => `${a.severity} ${a.id}: ${a.message}; ${a.next}`,
  );
}

describe("Odoo's sessions", () => {
  it('are none to speak of where nobody said anything', () => {
    expect(told({})).toEqual([]);
  });

  it('cannot write, by whom', () => {
    const cannot =
      'problem postgres.read-only: Odoo cannot write on db1: default_transaction_read_only is on';
    expect(told({ readOnly: ['database acme', 'role odoo'] })).toEqual([
      `${cannot} for database acme and role odoo; odoo-prov apply FILE takes it back, and ends Odoo's idle sessions, which would keep it`,
    ]);
    expect(told({ readOnlyFile: { file: '/etc/x/99-me.conf', line: 2 } })).toEqual([
      `${cannot} by /etc/x/99-me.conf line 2; take it out there; then on db1, as postgres: select pg_reload_conf()`,
    ]);
    expect(told({ readOnlyFile: { file: '/d/postgresql.auto.conf', line: 3 } })).toEqual([
      `${cannot} by /d/postgresql.auto.conf line 3; odoo-prov apply FILE takes it back`,
    ]);
  });

  it('begin with what may end or mislead them: a warning, and not undone', () => {
    const settings = [{ name: 'statement_timeout', value: '5s', whose: 'role odoo' }];
    expect(told({ settings })).toEqual([
      expect.stringMatching(
        /^warning postgres.sessions: Odoo's sessions on db1 begin with what the inventory does not say: statement_timeout 5s of role odoo; yours, and left alone/,
      ),
    ]);
  });

  it('may begin with what the inventory says for the whole server', () => {
    const cluster = testCluster([testHost('db1', 1, ['pg-primary'])]);
    const settings = { Statement_Timeout: '30s' };
    const known = odooSessionsSql({ ...cluster, postgres: { ...cluster.postgres, settings } });
    expect(odooSessionsSql(cluster)).toContain("name = 'statement_timeout' and value not in ('0')");
    expect(known).toContain("name = 'statement_timeout' and value not in ('0', '30s')");
    expect(known).toContain("name = 'lock_timeout' and value not in ('0')");
  });
});
