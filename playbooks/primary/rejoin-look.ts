import { Failure } from '../../src/failure/failure.js';
import type { Cluster } from '../../src/inventory/cluster.js';
import type { Sight } from '../../src/postgres/promotion.js';
import { FENCE_FILE } from '../../src/postgres/layout.js';
import { walGone } from '../../src/postgres/wal-gone.js';
import { raw } from '../../src/shell/index.js';
import type { Session } from '../../src/transport/session.js';
import { SQL_FUNCTION } from './sight.js';

/**
 * How far an earlier rejoin came with this data. `rewinding`: it was cut in the middle, and the data is of no use
 * but to be looked at. `rewound` and `copied`: it is a standby's that never ran, and only follows yet; of one that was
 * rewound the file that says so may be missing.
 */
export type Phase = 'none' | 'rewinding' | 'rewound' | 'copied';

/** A host that may rejoin. */
export interface Rejoining {
  readonly sight: Sight;
  readonly phase: Phase;
  /** The data folder. */
  readonly data: string;
  /** What keeps its data from being kept aside by renaming; undefined if nothing does. */
  readonly fixed: string | undefined;
  /** A segment of WAL that this standby lacks, and neither its primary nor the archive has any more. */
  readonly gone: string | undefined;
}

/**
 * Is there from before pg_rewind's first change until after its last: the inode of the data folder (a clone has
 * another), and the timeline that it is brought to (what was promoted since is on a later one).
 */
export const REJOIN_MARKER = '/var/lib/odoo-prov/postgres-rejoin';

const LOOK = raw(`${SQL_FUNCTION}
phase=none
read -r inode until 2>/dev/null <${REJOIN_MARKER} || inode=
# PostgreSQL takes the label away at its first start.
if grep -q '^BACKUP METHOD: pg_rewind' "$data/backup_label" 2>/dev/null &&
  "$bin/pg_controldata" "$data" | grep -q '^Database cluster state: *in archive recovery'; then phase=rewound
elif [ -e "$data/standby.signal" ] && ! [ -e ${FENCE_FILE} ]; then :
elif [ -n "$inode" ] && [ "$inode" = "$(stat -c %i "$data")" ]; then phase=rewinding:$until
elif [ -e "$data/standby.signal" ]; then phase=copied
fi
fixed=no
if [ -L "$data" ]; then fixed=link
elif mountpoint -q "$data"; then fixed=mount
elif [ -n "$(ls -A "$data/pg_tblspc" 2>/dev/null)" ]; then fixed=tablespaces
fi
echo "rejoin $phase $fixed $data"`);

/** Looks at what a rejoin needs to know of a host, and changes nothing. */
export async function lookAtRejoining(
  cluster: Cluster,
  session: Session,
  sight: Sight,
): Promise<Rejoining> {
  const { stdout } = await session.run(LOOK, { limit: 20 });
  const [, found, until = '', fixed = '', data] =
    /^rejoin (none|rewinding|rewound|copied)(?::(\d+))? (\S+) (\S+)$/m.exec(stdout) ?? [];
  if (found === undefined || data === undefined) {
    throw new Failure({
      reason: 'command-failed',
      host: sight.host,
      message: 'could not: look at its data',
      output: stdout,
      remedy: 'run this again; look at /var/lib/postgresql there',
    });
  }
  const phase = phaseOf(found as Phase, sight, Number(until));
  const gone = await lookForGone(cluster, session, sight);
  return { sight, phase, data, fixed: WORDS[fixed], gone };
}

/** One that is past the fork has rows of its own, which are looked for first. */
async function lookForGone(
  cluster: Cluster,
  session: Session,
  { standby, running, stuck, received, pastFork }: Sight,
): Promise<string | undefined> {
  // One that cannot even replay to the end of what it has answers nobody.
  const lives = running || stuck;
  if (!standby || !lives || received !== undefined || pastFork) return undefined;
  const { stdout } = await session.run(walGone(cluster), { limit: 20 });
  return /^[0-9A-F]{24}$/m.exec(stdout)?.[0];
}

/**
 * What that means for a host.
 * @param found the look's word
 * @param until the timeline that it was being brought to, with `rewinding`
 */
export function phaseOf(found: Phase, sight: Sight, until: number): Phase {
  if (sight.running) return 'none';
  if (found === 'rewinding') return sight.timeline <= until ? 'rewinding' : 'none';
  // The primary that it was made of has been left since: it is to be rewound again.
  return sight.pastFork ? 'none' : found;
}

const WORDS: Readonly<Record<string, string>> = {
  link: 'it is a symbolic link',
  mount: 'it is a mount point of its own',
  tablespaces: 'it has tablespaces outside of itself',
};

/**
 * Old data is kept by renaming its folder, and the new is made in its place.
 * @throws Failure refused where that cannot be done
 */
export function requireMovable({ sight, data, fixed }: Rejoining): void {
  if (fixed === undefined) return;
  throw new Failure({
    reason: 'refused',
    host: sight.host,
    message: `its old data could not be kept beside the new: ${fixed}`,
    expected: `${data}: a plain folder that holds all of its data`,
    found: `${data}: ${fixed}`,
    remedy: `mount the disk at ${data.split('/').slice(0, -2).join('/')} instead, with the data in ${data.split('/').slice(-2).join('/')}, and tablespaces moved back into it. Or: save the data elsewhere, empty the folder, and \`odoo-prov apply FILE\` clones it`,
  });
}
