/** One backup in the repository. */
export interface BackupSet {
  /** pgBackRest's name of it, e.g. `20261122-010000F`. */
  readonly label: string;
  readonly type: 'full' | 'diff' | 'incr';
  /** Seconds since 1970. */
  readonly started: number;
  /** Seconds since 1970: from here on it can be restored. */
  readonly stopped: number;
  /** Where in the WAL it is consistent. */
  readonly lsn: bigint;
  /** The timeline that it was made on. */
  readonly timeline: number;
  /** The WAL segment in which that is. */
  readonly segment: string;
  /** Bytes of the database. */
  readonly size: number;
  /** Bytes that it takes in the repository, without the backups that it builds on. */
  readonly stored: number;
}

/** What is in a repository. */
export interface RepositoryInfo {
  /** Oldest first. */
  readonly sets: readonly BackupSet[];
  /** The archive's name, e.g. `17-1`; undefined before anything was archived. */
  readonly archive: string | undefined;
  /** PostgreSQL's own name for the cluster whose archive that is. */
  readonly systemIdentifier: string | undefined;
  readonly firstSegment: string | undefined;
  readonly lastSegment: string | undefined;
  /** A backup is being made. */
  readonly running: boolean;
}

/** As far as `pgbackrest info --output=json` is read (pgBackRest 2.45 and 2.55). */
interface Answer {
  readonly status: {
    readonly code: number;
    readonly message: string;
    readonly lock?: { readonly backup?: { readonly held?: boolean } };
  };
  readonly archive: readonly {
    readonly id: string;
    readonly min: string | null;
    readonly max: string | null;
  }[];
  readonly backup: readonly {
    readonly label: string;
    readonly type: BackupSet['type'];
    readonly timestamp: { readonly start: number; readonly stop: number };
    readonly lsn: { readonly stop: string };
    readonly archive: { readonly stop: string };
    readonly info: { readonly size: number; readonly repository: { readonly delta: number } };
  }[];
}

/** A position in the WAL, `0/3000060`, as a number. */
export function lsnOf(text: string): bigint {
  const [high = '0', low = '0'] = text.split('/');
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
}

/**
 * Reads `pgbackrest info --output=json` of one stanza.
 * @throws Error when it is no answer of pgBackRest, or says that the repository cannot be used
 */
export function parseInfo(text: string): RepositoryInfo {
  const [answer] = JSON.parse(text) as readonly Answer[];
  if (answer === undefined) throw new Error('the repository knows no such cluster');
  // 2: no backup yet.
  if (![0, 2].includes(answer.status.code)) throw new Error(answer.status.message);
  const archive = answer.archive.at(-1);
  return {
    sets: answer.backup.map((set) => ({
      label: set.label,
      type: set.type,
      started: set.timestamp.start,
      stopped: set.timestamp.stop,
      lsn: lsnOf(set.lsn.stop),
      timeline: Number.parseInt(set.archive.stop.slice(0, 8), 16),
      segment: set.archive.stop,
      size: set.info.size,
      stored: set.info.repository.delta,
    })),
    archive: archive?.id,
    // A number that is too large for JSON.parse.
    systemIdentifier: [...text.matchAll(/"system-id":(\d+)/g)].at(-1)?.[1],
    firstSegment: archive?.min ?? undefined,
    lastSegment: archive?.max ?? undefined,
    running: answer.status.lock?.backup?.held === true,
  };
}
