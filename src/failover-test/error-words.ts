/**
 * What errors that clients and users get during an outage mean, for people who do not know them by heart. PgBouncer has
 * one SQLSTATE, 08P01, for all of its own errors; Odoo looks for a page among those that need no database while it has
 * none (`_serve_nodb` in odoo/http.py), and finds none.
 */
const WORDS: Readonly<Record<string, string>> = {
  '08P01': 'PgBouncer has no connection to the server',
  '25006': 'the server takes no writes',
  '57P01': 'the server is being stopped',
  '57P03': 'the server is starting or stopping',
  unreachable: 'no connection',
  'HTTP 404': 'what Odoo says while it has no database',
  'HTTP 502': 'the edge got no answer of Odoo',
  'HTTP 503': 'Odoo cannot serve now',
  'HTTP 504': 'the edge waited for Odoo in vain',
  'psycopg2.InterfaceError': 'Odoo lost its connection to the database',
  'psycopg2.OperationalError': 'Odoo has no connection to the database',
};

/** Errors with how often they came, and what they mean: `08P01 6× (PgBouncer …)`. */
export function errorsText(errors: Readonly<Record<string, number>>): string {
  return Object.entries(errors)
    .map(([name, count]) => {
      const words = WORDS[name];
      return `${name} ${count}×${words === undefined ? '' : ` (${words})`}`;
    })
    .join(', ');
}
