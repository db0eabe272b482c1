import type { ScenarioName } from '../../src/failover-test/scenario.js';
import { SAVE_TIMER, SAVE_UNIT } from '../../src/filestore/layout.js';
import type { Cluster, Host } from '../../src/inventory/cluster.js';
import { attachments } from '../../src/odoo/layout.js';
import { quote } from '../../src/shell/index.js';
import { SQL_FUNCTION } from '../primary/sight.js';

/** Something that is broken on a host, and can be put right there. Shell text, for root. */
export interface Fault {
  readonly host: Host;
  readonly scenario: ScenarioName;
  /** What is done, for people: `PostgreSQL is stopped`. */
  readonly text: string;
  readonly breaks: string;
  /** Right whether it was broken or not, and as often as it is run; ends at its first command that fails. */
  readonly heals: string;
}

/**
 * A unit whose processes are killed and which stays down. Not `stop` alone: PgBouncer then waits for its clients
 * to leave, which is no fault.
 * @param what for people
 */
export function unitDown(host: Host, scenario: ScenarioName, unit: string, what: string): Fault {
  return {
    ...{ host, scenario, text: `${what} is killed and stays down` },
    breaks: `systemctl stop --no-block ${unit}
systemctl kill -s KILL ${unit} 2>/dev/null || :
systemctl stop ${unit}`,
    heals: `systemctl reset-failed ${unit} 2>/dev/null || :
systemctl start ${unit}`,
  };
}

/** What the covering file system is called, by which it is known. */
const COVER = 'odoo-prov-failover-test';

/**
 * Odoo's attachments, covered by an empty folder that nobody may read or write: what a host sees of a file server that
 * refuses. A cover, since it is gone after a reboot and nothing below it is touched.
 * @param saves whether this host saves the attachments by itself: it must not save the emptiness
 */
export function filestoreHidden(host: Host, cluster: Cluster, saves: boolean): Fault {
  const folder = quote(attachments(cluster));
  const pause = `systemctl stop ${SAVE_TIMER}
left=40
while [ "$(systemctl show -P ActiveState ${SAVE_UNIT})" = activating ]; do
  [ $left -gt 0 ] || { echo 'a snapshot of the filestore is still being taken' >&2; exit 1; }
  sleep 1
  left=$((left - 1))
done`;
  return {
    ...{ host, scenario: 'filestore-down', text: 'does not reach the filestore' },
    breaks: `${saves ? `${pause}\n` : ''}mount -t tmpfs -o ro,mode=0000,size=4k ${COVER} ${folder}`,
    heals: `while findmnt -n -S ${COVER} >/dev/null; do umount -l ${folder} || exit 1; done
${saves ? `systemctl start ${SAVE_TIMER}` : ''}`,
  };
}

/** PostgreSQL, stopped as for a maintenance that nobody told of. */
export function postgresStopped(host: Host, scenario: ScenarioName): Fault {
  return {
    ...{ host, scenario, text: 'PostgreSQL is stopped' },
    breaks: `${SQL_FUNCTION}\nsystemctl stop "$unit"`,
    heals: `${SQL_FUNCTION}\nsystemctl start "$unit"`,
  };
}

/** PostgreSQL's first process, killed as by the kernel when memory runs out. */
export function postgresKilled(host: Host, scenario: ScenarioName): Fault {
  return {
    ...{ host, scenario, text: 'PostgreSQL is killed (SIGKILL)' },
    breaks: `${SQL_FUNCTION}\nkill -KILL "$(head -n 1 "$data/postmaster.pid")"`,
    heals: `${SQL_FUNCTION}\nsystemctl reset-failed "$unit" 2>/dev/null || :\nsystemctl start "$unit"`,
  };
}

/** All of PostgreSQL's processes, standing still: connections stay open, nobody answers. */
export function postgresFrozen(host: Host, scenario: ScenarioName): Fault {
  return {
    ...{ host, scenario, text: 'PostgreSQL stands still (SIGSTOP)' },
    breaks: `${SQL_FUNCTION}\nsystemctl kill -s STOP "$unit"`,
    heals: `${SQL_FUNCTION}\nsystemctl kill -s CONT "$unit"`,
  };
}

/** The table of nftables that a fault makes: all that it does goes with it. */
const TABLE = 'inet odoo_prov_failover_test';
const WITHOUT_TABLE = `if nft list table ${TABLE} >/dev/null 2>&1; then nft delete table ${TABLE}; fi`;

/**
 * What PostgreSQL's user sends to a port of whatever host is lost: a bucket that no answer comes from. By user and port
 * and not by address, since a store's name leads to another one each time. Needs nftables on the host.
 */
export function storeUnreachable(host: Host, scenario: ScenarioName, port: number): Fault {
  return {
    ...{ host, scenario, text: `what PostgreSQL's user sends to port ${port} is lost` },
    breaks: `nft -f - <<EOF
table ${TABLE} {
  chain outgoing {
    type filter hook output priority -300;
    meta skuid postgres tcp dport ${port} drop
  }
}
EOF`,
    heals: WITHOUT_TABLE,
  };
}

/**
 * No packet in or out but SSH's, so that it can be healed: on every port that sshd listens on, and with the ICMPv6 that
 * finds neighbours. Needs nftables on the host.
 */
export function cutOffHost(host: Host, scenario: ScenarioName): Fault {
  return {
    ...{ host, scenario, text: 'is cut off from the network, all but SSH' },
    breaks: `ports=$(sshd -T 2>/dev/null | awk '$1 == "port" { printf "%s%s", sep, $2; sep = ", " }')
nft -f - <<EOF
table ${TABLE} {
  chain incoming {
    type filter hook input priority -300; policy drop;
    iif lo accept
    tcp dport { \${ports:-22} } accept
    meta l4proto ipv6-icmp accept
  }
  chain outgoing {
    type filter hook output priority -300; policy drop;
    oif lo accept
    tcp sport { \${ports:-22} } accept
    meta l4proto ipv6-icmp accept
  }
}
EOF`,
    heals: WITHOUT_TABLE,
  };
}
