/**
 * What real servers printed (Debian 13: PostgreSQL 17.12, PgBouncer 1.24.1, Redis 8.0.2), the primary db1 and a
 * standby made by hand with pg_basebackup: the standby's name and address were `front`, 198.51.100.131.
 */
export const RECORDED = {
  /** Both are well. */
  streaming: {
    primary: `up
{"version":170012,"systemIdentifier":"7710786257102789661","recovering":false,"timeline":1,"position":50331648,"received":null,"replayedAge":null,"replayPaused":false,"hotStandby":{"max_connections":100,"max_wal_senders":10},"pastFork":false,"uptime":360.443625,"commitsWaiting":0,"synchronousStandbyNames":"","aloneFor":null,"connections":{"used":2,"active":0,"idleInTransaction":0,"waiting":0,"oldestTransaction":null,"max":100,"reserved":3},"limits":[],"odooSessions":{"readOnly":[],"readOnlyFile":null,"settings":[]},"downstream":[{"name":"front","address":"198.51.100.131","state":"streaming","sync":"async","lagBytes":0,"lagSeconds":null}],"receiver":null,"slots":[{"name":"front","type":"physical","active":true,"pid":3281,"walStatus":"reserved","retained":0}],"configuration":{"own":true,"errors":[],"doors":[],"off":[],"waiting":[],"over":[],"unread":[]},"durability":{"synchronous":{"file":null,"line":null},"commit":{"value":"on","file":null,"line":null},"overrides":[],"archive":[]},"archive":null}`,
    standby: `up
{"version":170012,"systemIdentifier":"7710786257102789661","recovering":true,"timeline":1,"position":50331648,"received":50331648,"replayedAge":null,"replayPaused":false,"hotStandby":{"max_connections":100,"max_wal_senders":10},"pastFork":false,"uptime":7.393682,"commitsWaiting":0,"synchronousStandbyNames":"","aloneFor":null,"connections":{"used":1,"active":0,"idleInTransaction":0,"waiting":0,"oldestTransaction":null,"max":100,"reserved":3},"limits":[],"odooSessions":null,"downstream":[],"receiver":{"status":"streaming","from":"198.51.100.129","slot":"front","silent":7.315981},"slots":[],"configuration":{"own":true,"errors":[],"doors":[],"off":[],"waiting":[],"over":[],"unread":[]},"durability":{"synchronous":{"file":null,"line":null},"commit":{"value":"on","file":null,"line":null},"overrides":[],"archive":[]},"archive":null}`,
  },
  /** Replay on the standby is paused, 38 MB were written; the archive command fails. */
  lagging: {
    primary: `up
{"version":170012,"systemIdentifier":"7710786257102789661","recovering":false,"timeline":1,"position":105622208,"received":null,"replayedAge":null,"replayPaused":false,"hotStandby":{"max_connections":100,"max_wal_senders":10},"pastFork":false,"uptime":15.241157,"commitsWaiting":0,"synchronousStandbyNames":"","aloneFor":null,"connections":{"used":1,"active":0,"idleInTransaction":0,"waiting":0,"oldestTransaction":null,"max":100,"reserved":3},"limits":[],"odooSessions":{"readOnly":[],"readOnlyFile":null,"settings":[]},"downstream":[{"name":"front","address":"198.51.100.131","state":"streaming","sync":"async","lagBytes":38513344,"lagSeconds":5.109805}],"receiver":null,"slots":[{"name":"front","type":"physical","active":true,"pid":3281,"walStatus":"reserved","retained":0}],"configuration":{"own":true,"errors":[],"doors":[],"off":[],"waiting":[],"over":[],"unread":[]},"durability":{"synchronous":{"file":null,"line":null},"commit":{"value":"on","file":null,"line":null},"overrides":[],"archive":[]},"archive":{"last":null,"lastAge":null,"lastFailed":"000000010000000000000003","lastFailedAge":0.794026,"error":null,"failing":true,"waiting":3,"waitingAge":12.854919}}`,
    standby: `up
{"version":170012,"systemIdentifier":"7710786257102789661","recovering":true,"timeline":1,"position":67108864,"received":105622208,"replayedAge":14.867378,"replayPaused":true,"hotStandby":{"max_connections":100,"max_wal_senders":10},"pastFork":false,"uptime":48.853652,"commitsWaiting":0,"synchronousStandbyNames":"","aloneFor":null,"connections":{"used":1,"active":0,"idleInTransaction":0,"waiting":0,"oldestTransaction":null,"max":100,"reserved":3},"limits":[],"odooSessions":null,"downstream":[],"receiver":{"status":"streaming","from":"198.51.100.129","slot":"front","silent":2.269934},"slots":[],"configuration":{"own":true,"errors":[],"doors":[],"off":[],"waiting":[],"over":[],"unread":[]},"durability":{"synchronous":{"file":null,"line":null},"commit":{"value":"on","file":null,"line":null},"overrides":[],"archive":[]},"archive":null}`,
  },
  /** The standby is shut down. */
  stopped: {
    primary: `up
{"version":170012,"systemIdentifier":"7710786257102789661","recovering":false,"timeline":1,"position":105624072,"received":null,"replayedAge":null,"replayPaused":false,"hotStandby":{"max_connections":100,"max_wal_senders":10},"pastFork":false,"uptime":22.670284,"commitsWaiting":0,"synchronousStandbyNames":"","aloneFor":null,"connections":{"used":1,"active":0,"idleInTransaction":0,"waiting":0,"oldestTransaction":null,"max":100,"reserved":3},"limits":[],"odooSessions":{"readOnly":[],"readOnlyFile":null,"settings":[]},"downstream":[],"receiver":null,"slots":[{"name":"front","type":"physical","active":false,"pid":null,"walStatus":"reserved","retained":1864}],"configuration":{"own":true,"errors":[],"doors":[],"off":[],"waiting":[],"over":[],"unread":[]},"durability":{"synchronous":{"file":null,"line":null},"commit":{"value":"on","file":null,"line":null},"overrides":[],"archive":[]},"archive":{"last":null,"lastAge":null,"lastFailed":"000000010000000000000003","lastFailedAge":8.223083,"error":null,"failing":true,"waiting":3,"waitingAge":20.283993}}`,
    standby: `down`,
  },
  /** The standby was promoted while the primary ran. */
  two: {
    primary: `up
{"version":170012,"systemIdentifier":"7710786257102789661","recovering":false,"timeline":1,"position":123723048,"received":null,"replayedAge":null,"replayPaused":false,"hotStandby":{"max_connections":100,"max_wal_senders":10},"pastFork":false,"uptime":36.752562,"commitsWaiting":0,"synchronousStandbyNames":"","aloneFor":null,"connections":{"used":1,"active":0,"idleInTransaction":0,"waiting":0,"oldestTransaction":null,"max":100,"reserved":3},"limits":[],"odooSessions":{"readOnly":[],"readOnlyFile":null,"settings":[]},"downstream":[],"receiver":null,"slots":[{"name":"front","type":"physical","active":false,"pid":null,"walStatus":"reserved","retained":0}],"configuration":{"own":true,"errors":[],"doors":[],"off":[],"waiting":[],"over":[],"unread":[]},"durability":{"synchronous":{"file":null,"line":null},"commit":{"value":"on","file":null,"line":null},"overrides":[],"archive":[]},"archive":{"last":null,"lastAge":null,"lastFailed":"000000010000000000000003","lastFailedAge":6.662291,"error":null,"failing":true,"waiting":4,"waitingAge":34.366177}}`,
    standby: `up
{"version":170012,"systemIdentifier":"7710786257102789661","recovering":false,"timeline":2,"position":123723160,"received":null,"replayedAge":null,"replayPaused":false,"hotStandby":{"max_connections":100,"max_wal_senders":10},"pastFork":false,"uptime":10.252923,"commitsWaiting":0,"synchronousStandbyNames":"","aloneFor":null,"connections":{"used":1,"active":0,"idleInTransaction":0,"waiting":0,"oldestTransaction":null,"max":100,"reserved":3},"limits":[],"odooSessions":{"readOnly":[],"readOnlyFile":null,"settings":[]},"downstream":[],"receiver":null,"slots":[],"configuration":{"own":true,"errors":[],"doors":[],"off":[],"waiting":[],"over":[],"unread":[]},"durability":{"synchronous":{"file":null,"line":null},"commit":{"value":"on","file":null,"line":null},"overrides":[],"archive":[]},"archive":null}`,
  },
} as const;

/** `databaseProbe` on the standby that is shut down. */
export const STOPPED_DATABASES =
  '/var/lib/postgresql/17/main\t7710786257102789661\t1\tyes\tshut down in recovery';

/** PgBouncer 1.24, two clients of Odoo's. */
export const PGBOUNCER_124 = [
  '@table pools',
  'database\tuser\tcl_active\tcl_waiting\tcl_active_cancel_req\tcl_waiting_cancel_req\tsv_active\tsv_active_cancel\tsv_being_canceled\tsv_idle\tsv_used\tsv_tested\tsv_login\tmaxwait\tmaxwait_us\tpool_mode\tload_balance_hosts',
  'odoo\todoo\t2\t1\t0\t0\t2\t0\t0\t3\t1\t0\t0\t4\t500000\tsession\t',
  'pgbouncer\tpgbouncer\t1\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\tstatement\t',
  '@table databases',
  'name\thost\tport\tdatabase\tforce_user\tpool_size\tmin_pool_size\treserve_pool_size\tserver_lifetime\tpool_mode\tload_balance_hosts\tmax_connections\tcurrent_connections\tmax_client_connections\tcurrent_client_connections\tpaused\tdisabled',
  'odoo\t198.51.100.129\t5432\todoo\t\t20\t0\t0\t3600\t\t\t0\t0\t0\t0\t0\t0',
  'pgbouncer\t\t6432\tpgbouncer\tpgbouncer\t2\t0\t0\t3600\tstatement\t\t0\t0\t0\t1\t0\t0',
  'postgres\t198.51.100.129\t5432\tpostgres\t\t15\t0\t0\t3600\tsession\t\t0\t0\t0\t0\t0\t0',
  '@table stats',
  'database\ttotal_xact_count\tavg_xact_count\tavg_query_count\tavg_query_time\tavg_wait_time',
  'odoo\t2\t2\t7\t4654\t68004',
  'pgbouncer\t0\t4\t0\t0\t0',
  '',
].join('\n');

/** The columns of PgBouncer 1.18 (Debian 12), which has fewer. */
export const PGBOUNCER_118 = [
  '@table pools',
  'database\tuser\tcl_active\tcl_waiting\tcl_active_cancel_req\tcl_waiting_cancel_req\tsv_active\tsv_active_cancel\tsv_being_canceled\tsv_idle\tsv_used\tsv_tested\tsv_login\tmaxwait\tmaxwait_us\tpool_mode',
  'odoo\todoo\t1\t0\t0\t0\t1\t0\t0\t0\t0\t0\t0\t0\t0\tsession',
  '@table databases',
  'name\thost\tport\tdatabase\tforce_user\tpool_size\tmin_pool_size\treserve_pool\tpool_mode\tmax_connections\tcurrent_connections\tpaused\tdisabled',
  'odoo\t198.51.100.129\t5432\todoo\t\t20\t0\t0\t\t0\t1\t1\t0',
  '@table stats',
  'database\ttotal_xact_count\tavg_query_count\tavg_query_time',
  'odoo\t0\t0\t0',
].join('\n');

export const REDIS = [
  'connected_clients:12',
  'used_memory:786152',
  'maxmemory:134217728',
  'aof_enabled:1',
  'aof_last_bgrewrite_status:ok',
  'aof_last_write_status:ok',
  'evicted_keys:0',
  'db0:keys=34,expires=34,avg_ttl=604790000,subexpiry=0',
].join('\n');

export const SYSTEM = [
  'load=0.42 0.30 0.25',
  'cores=2',
  'memory=4039464',
  'available=2019732',
  'disk / 270553174016 135276587008 135276587008 16777216 16000000 /',
  'disk /var/lib/postgresql 1000000000 950000000 50000000 1000 900 /var/lib/postgresql',
  'disk /var/lib/postgresql/17/main/pg_wal 1000000000 950000000 50000000 1000 900 /var/lib/postgresql',
  'hangs /srv/odoo',
].join('\n');
