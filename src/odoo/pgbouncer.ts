import { PGBOUNCER_PORT } from './layout.js';

/** PgBouncer's configuration files. */
export const PGBOUNCER_FOLDER = '/etc/pgbouncer';
/**
 * Where each database is: the one file that changes when the primary moves. pgbouncer.ini includes it, so a
 * reload (SIGHUP, or RELOAD in the console) takes it in.
 */
export const PGBOUNCER_DATABASES = `${PGBOUNCER_FOLDER}/databases.ini`;
export const PGBOUNCER_UNIT = 'pgbouncer.service';

/**
 * Shell words that open PgBouncer's administration console as root, over its socket; commands (PAUSE, KILL,
 * RESUME, RELOAD, SHOW POOLS) follow as `-c` or on stdin. PgBouncer lets the system user it runs as in
 * without a password, as its user `pgbouncer` (pgbouncer(5), admin_users). psql itself, not Debian's /usr/bin/psql: that
 * is a Perl program which looks for the right one, and clients wait meanwhile.
 */
export const PGBOUNCER_CONSOLE =
  'setpriv --reuid=postgres --regid=postgres --init-groups ' +
  '"$(ls /usr/lib/postgresql/*/bin/psql | tail -n 1)" ' +
  `-XAtqw -h /var/run/postgresql -p ${String(PGBOUNCER_PORT)} -U pgbouncer -d pgbouncer`;
