import type { Mistake } from './source.js';
import { isRecord, type View } from './view.js';
import { show } from './words.js';

/** What is wrong with a value, and what to give instead; undefined if it is right. */
type Test = (value: unknown) => readonly [reason: string, instead: string] | undefined;

function on(value: unknown): boolean {
  return ['1', 'on', 'true', 'yes'].includes(String(value).toLowerCase());
}

const LEFT_OUT = 'the key left out';

/** Settings with which Odoo does not work, whatever the pool mode. */
const ALWAYS: Readonly<Record<string, Test>> = {
  client_idle_timeout: (value) =>
    Number(value) === 0
      ? undefined
      : ['it would cut the connections on which bus and cron LISTEN', LEFT_OUT],
  disable_pqexec: (value) =>
    on(value) ? ["Odoo's driver sends every query that way", LEFT_OUT] : undefined,
  query_wait_timeout: (value) =>
    Number(value) === 0
      ? ['whoever waits for a connection would never be told that none comes', 'seconds, e.g. 30']
      : undefined,
  server_reset_query: (value) =>
    /\bdiscard\s+all\b/i.test(String(value))
      ? undefined
      : ['what one client left in its session (LISTEN, SET) would reach the next', LEFT_OUT],
};

/** Settings that break transaction pooling for Odoo. */
const TRANSACTION: Readonly<Record<string, Test>> = {
  server_reset_query_always: (value) =>
    on(value)
      ? undefined
      : [
          'with pool_mode: transaction, a SET SESSION of Odoo would reach other clients',
          `${LEFT_OUT}: it is on`,
        ],
};

/** Settings of pgbouncer.ini that break Odoo. */
export function checkPgbouncer(view: View): Mistake[] {
  const settings = view.at('pgbouncer', 'settings');
  if (!isRecord(settings)) return [];
  const transaction = view.at('pgbouncer', 'pool_mode') === 'transaction';
  const tests = new Map(Object.entries(transaction ? { ...ALWAYS, ...TRANSACTION } : ALWAYS));
  return Object.entries(settings).flatMap(([key, value]): Mistake[] => {
    const wrong = tests.get(key.toLowerCase())?.(value);
    if (wrong === undefined) return [];
    const [reason, expected] = wrong;
    const path = ['pgbouncer', 'settings', key];
    return [{ path, at: 'value', message: `${key}: ${show(value)}: ${reason}`, expected }];
  });
}
