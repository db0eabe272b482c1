import { randomBytes } from 'node:crypto';
import { Failure } from '../../src/failure/failure.js';
import type { Cluster, Host } from '../../src/inventory/cluster.js';
import type { OdooBait } from '../../src/load/odoo-users.js';
import { configPath, ODOO_HOME, ODOO_USER } from '../../src/odoo/layout.js';
import { PG_SERVICE, PG_SERVICE_FILE } from '../../src/odoo/service.js';
import { raw, Secret, sh, type Script } from '../../src/shell/index.js';
import type { Hosts } from './hosts.js';
import { JOBS_TABLE, RUNS_TABLE } from './table.js';

/** What all that the test puts into Odoo is called, or begins with. */
export const MARK = 'odoo-prov failover-test';
export const USER_LOGIN = 'odoo-prov-failover-test';
/** A small model of Odoo's base, to which nothing is attached: tags of contacts. */
const MODEL = 'res.partner.category';
const CHANNEL = 'odoo-prov-failover-test';
/** Seconds for Odoo's shell: it loads all of Odoo's modules first. */
const LIMIT = 300;
/** Seconds after which a host removes the test's user by itself, where a run was killed. */
const CLEAN_UP_SECONDS = 3 * 3600;
const CLEAN_UP_UNIT = 'odoo-prov-failover-test-clean-up';
const FOLDER = '/var/lib/odoo-prov/failover-test';

/** A user of Odoo that exists for the test only. */
export interface OdooTestData {
  readonly bait: Omit<OdooBait, 'mark'>;
  readonly login: string;
  readonly password: Secret;
}

/**
 * Puts a user, a server action and a scheduled action into Odoo, by Odoo's own shell on an app host: nobody's
 * password is needed, and Odoo itself keeps its rules. What an earlier run left is removed first. A timer on the host
 * removes all of it later, where this program cannot any more.
 * @throws Failure when Odoo's shell fails
 */
export async function makeOdooData(
  hosts: Hosts,
  host: Host,
  cluster: Cluster,
): Promise<OdooTestData> {
  const password = new Secret(randomBytes(24).toString('base64url'));
  await hosts.run(host.name, armCleanUp(cluster));
  const script = sh`
umask 077
password=${password}
{ printf 'PASSWORD = "%s"\n' "$password"; cat <<'PYTHON'
${raw(REMOVE)}
${raw(makeText())}
PYTHON
} | ${raw(odooShell(cluster))} 2>&1`;
  const said = await hosts.run(host.name, script, LIMIT);
  const signal = Number(/^odoo-prov signal (\d+)$/m.exec(said)?.[1]);
  if (!Number.isInteger(signal)) throw notMade(host.name, said);
  return {
    ...{ password, login: USER_LOGIN },
    bait: { signal, model: MODEL, channel: CHANNEL },
  };
}

/** Removes all that the test put into Odoo. @throws Failure when Odoo's shell fails */
export async function removeOdooData(hosts: Hosts, host: Host, cluster: Cluster): Promise<void> {
  const script = raw(`{ cat <<'PYTHON'
${REMOVE}
PYTHON
} | ${odooShell(cluster)} 2>&1
systemctl stop ${CLEAN_UP_UNIT}.timer 2>/dev/null || :
rm -rf ${FOLDER}`);
  await hosts.run(host.name, script, LIMIT);
}

/** How much of the test is left in Odoo; a statement for the database. */
export const LEFT_IN_ODOO = `select (select count(*) from res_users where login = '${USER_LOGIN}')
 + (select count(*) from ir_attachment where name like '${MARK}%')
 + (select count(*) from res_partner_category where name::text like '%${MARK}%')
 + (select count(*) from ir_act_server where name::text like '%${MARK}%');`;

/** Odoo's shell reads Python on its stdin; `$1`-less, and no secret in its words. */
function odooShell(cluster: Cluster): string {
  const environment = [
    `HOME=${ODOO_HOME}`,
    'PGCONNECT_TIMEOUT=3',
    `PGSERVICEFILE=${PG_SERVICE_FILE}`,
    `PGSERVICE=${PG_SERVICE}`,
  ].join(' ');
  // Only the app service's options know where sessions and the database are.
  return `(umask 0027; cd / && runuser -u ${ODOO_USER} -- env ${environment} /usr/bin/odoo shell --config=${configPath('app')} --database=${cluster.odoo.database} --no-http --workers=0 --max-cron-threads=0 --log-level=warn)`;
}

function armCleanUp(cluster: Cluster): Script {
  return raw(`mkdir -p -m 0700 ${FOLDER}
cat >${FOLDER}/clean-up.py <<'PYTHON'
${REMOVE}
PYTHON
cat >${FOLDER}/clean-up.sh <<'SH'
cat ${FOLDER}/clean-up.py | ${odooShell(cluster)} && rm -rf ${FOLDER}
SH
systemctl stop ${CLEAN_UP_UNIT}.timer 2>/dev/null || :
systemctl reset-failed ${CLEAN_UP_UNIT}.service 2>/dev/null || :
systemd-run --quiet --collect --unit=${CLEAN_UP_UNIT} --on-active=${CLEAN_UP_SECONDS} /bin/sh ${FOLDER}/clean-up.sh`);
}

/** Python for Odoo's shell, 16.0 to 19.0. A scheduled action that runs just now cannot be removed: it is tried again. */
const REMOVE = `
import time
MARK = '${MARK}'
LOGIN = '${USER_LOGIN}'
def remove():
    quiet = env(context=dict(env.context, active_test=False, no_reset_password=True, tracking_disable=True))
    cron = quiet['ir.cron'].search([('name', '=like', MARK + '%')])
    actions = cron.ir_actions_server_id
    cron.unlink()
    (actions | quiet['ir.actions.server'].search([('name', '=like', MARK + '%')])).exists().unlink()
    quiet['ir.attachment'].search([('name', '=like', MARK + '%')]).unlink()
    quiet['${MODEL}'].search([('name', '=like', MARK + '%')]).unlink()
    users = quiet['res.users'].search([('login', '=', LOGIN)])
    partners = users.partner_id
    users.unlink()
    partners.unlink()
    env.cr.commit()
for attempt in range(20):
    try:
        remove()
        break
    except Exception:
        env.cr.rollback()
        env.invalidate_all()
        if attempt == 19:
            raise
        time.sleep(1)
`;

/** Python for Odoo's shell: makes the user and the actions, and prints the number of the one that signals. */
function makeText(): string {
  return `
quiet = env(context=dict(env.context, no_reset_password=True, tracking_disable=True))
def known(model, values):
    return {key: value for key, value in values.items() if key in env[model]._fields}
groups = [(6, 0, [env.ref('base.group_user').id, env.ref('base.group_partner_manager').id])]
quiet['res.users'].create(known('res.users', {
    'name': MARK, 'login': LOGIN, 'password': PASSWORD, 'group_ids': groups, 'groups_id': groups,
    # Whoever loads the web client for the first time would get a chat with OdooBot, which nothing removes.
    'odoobot_state': 'disabled',
}))
model_id = env['ir.model']._get('${MODEL}').id
cron = quiet['ir.cron'].create(known('ir.cron', {
    'name': MARK, 'model_id': model_id, 'state': 'code', 'interval_number': 1, 'interval_type': 'minutes',
    'numbercall': -1, 'doall': False, 'active': True, 'code': """${JOB_CODE}""",
}))
signal = quiet['ir.actions.server'].create({
    'name': MARK, 'model_id': model_id, 'state': 'code',
    'code': """${SIGNAL_CODE}""" % cron.id,
})
env.cr.commit()
print('odoo-prov signal %d' % signal.id)
`;
}

/**
 * The scheduled action: a row for each run of each job that is asked for. All in one transaction, as Odoo's own jobs:
 * what is killed midway leaves nothing, and is run again.
 */
const JOB_CODE = `
env.cr.execute("select job from ${JOBS_TABLE} where done is null order by job")
for (job,) in env.cr.fetchall():
    env.cr.execute("insert into ${RUNS_TABLE} (job) values (%s)", (job,))
    env.cr.execute("select pg_sleep(0.2)")
    env.cr.execute("update ${JOBS_TABLE} set done = clock_timestamp() where job = %s", (job,))
`;

/** The server action: a job is asked for, and a message sent, with the number that the user gave. */
const SIGNAL_CODE = `
number = env.context.get('odoo_prov_number')
env.cr.execute("insert into ${JOBS_TABLE} (job) values (%%s)", (number,))
env['ir.cron'].sudo().browse(%d)._trigger()
env['bus.bus'].sudo()._sendone('${CHANNEL}', '${CHANNEL}', {'number': number})
`;

function notMade(host: string, said: string): Failure {
  return new Failure({
    reason: 'command-failed',
    host,
    message: "the test's user could not be made in Odoo",
    expected: "Odoo's shell makes it",
    output: said.split('\n').slice(-12).join('\n'),
    remedy: `on ${host}: does /usr/bin/odoo shell -c ${configPath('app')} start?`,
  });
}
