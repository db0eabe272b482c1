import { configPath, unitName } from './layout.js';

/**
 * Shell text that prints `ok` when all cron workers run, otherwise how many of how many do. Odoo's master
 * keeps one process for each of `max_cron_threads`, and without HTTP no other.
 */
export const CRON_WORKERS_COMMAND = [
  `pid=$(systemctl show -P MainPID ${unitName('cron')})`,
  `want=$(sed -n 's/^max_cron_threads = //p' ${configPath('cron')})`,
  `n=$(grep -sc "^PPid:[[:space:]]*$pid$" /proc/[0-9]*/status | grep -c ':1$')`,
  `{ [ "$pid" != 0 ] && [ "$n" -ge "$want" ] && echo ok; } || echo "$n of $want cron workers run"`,
].join('; ');
