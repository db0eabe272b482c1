import { z } from 'zod';
import type { Cluster } from '../inventory/cluster.js';
import { SEGMENT_ROOM } from '../postgres/archive-failure.js';
import { stanzaOf } from '../postgres/pgbackrest.js';
import { recoverableSpans } from '../postgres/recovery-plan.js';
import { parseRepository } from '../postgres/repository-answer.js';
import { repositoryQuestion } from '../postgres/repository-files.js';
import { PSQL } from '../resource/postgres-sql.js';
import { lines, raw, sh, type Script } from '../shell/index.js';

/** The newest backup, as pgBackRest on the host that keeps the repository tells. */
export interface BackupStatus {
  /** pgBackRest's word on the repository: `ok`, or what is the matter; `full` where nothing more finds room in it. */
  readonly message: string;
  readonly ok: boolean;
  /** Bytes left where it is kept; null with a bucket. */
  readonly room: { readonly path: string; readonly available: number } | null;
  /** A backup is being made. */
  readonly running: boolean;
  readonly newest: {
    readonly label: string;
    /** `full`, `diff`, `incr`. */
    readonly type: string;
    /** Seconds since it ended. */
    readonly age: number;
    /** It holds pages whose checksum is wrong. */
    readonly damaged: boolean;
  } | null;
  /** The newest archived segment. */
  readonly archivedTo: string | null;
  /** The first segment that the archive lacks after the newest backup: nothing that was written later can be restored. */
  readonly hole: string | null;
}

/** The part of `pgbackrest info --output=json` that is read (pgBackRest user guide, "Information"). */
const info = z.array(
  z.object({
    status: z.object({
      code: z.number(),
      message: z.string(),
      lock: z.object({ backup: z.object({ held: z.boolean() }).optional() }).optional(),
    }),
    backup: z.array(
      z.object({
        label: z.string(),
        type: z.string(),
        error: z.boolean().nullish(),
        timestamp: z.object({ stop: z.number() }),
      }),
    ),
    archive: z.array(z.object({ max: z.string().nullable() })),
  }),
);

/** Whether not even a segment of WAL finds room in the repository. */
export function isFull({ available }: NonNullable<BackupStatus['room']>): boolean {
  return available < SEGMENT_ROOM;
}

/** Prints the time, what is left in which folder, and what pgBackRest knows, on a host that {@link readsRepository} names. */
export function backupProbe(cluster: Cluster): Script {
  const { backup } = cluster.postgres;
  const room =
    backup === undefined || backup.s3 !== undefined
      ? raw('')
      : sh`$(timeout -k 1 3 df -B1 --output=avail ${backup.path} | tail -n 1) ${backup.path}`;
  return sh`
${readsRepository(cluster)}
echo $(date +%s) ${room}
cd / && setpriv --reuid=postgres --regid=postgres --init-groups \
  pgbackrest --stanza=${stanzaOf(cluster)} --log-level-console=error info --output=json`;
}

/** Prints what is archived since the newest backup, there. */
export function holeProbe(cluster: Cluster): Script {
  return lines([readsRepository(cluster), repositoryQuestion(cluster, 'newest backup')]);
}

/** With a bucket every database host is asked, and only the primary answers. */
function readsRepository(cluster: Cluster): Script {
  return cluster.postgres.backup?.s3 === undefined ? raw(':') : ONLY_ON_PRIMARY;
}

/** Ends a probe where the server is not the primary. */
export const ONLY_ON_PRIMARY = sh`
${PSQL}
[ "$(echo 'select pg_is_in_recovery()' | psql_as_postgres postgres 2>/dev/null)" = f ] || exit 0`;

/** Reads what {@link backupProbe} printed; null where another host is to answer. @throws Error on anything else */
export function parseBackup(text: string): Omit<BackupStatus, 'hole'> | null {
  if (text.trim() === '') return null;
  const [first = '', ...rest] = text.trim().split('\n');
  const [now = '', available, path] = first.split(' ');
  const room =
    available === undefined || path === undefined ? null : { path, available: Number(available) };
  const full = room !== null && isFull(room);
  const [stanza] = info.parse(JSON.parse(rest.join('\n')));
  if (stanza === undefined) {
    const message = 'the repository knows no such cluster';
    return { message, ok: false, room, running: false, newest: null, archivedTo: null };
  }
  const newest = stanza.backup.at(-1);
  return {
    message: full ? 'full' : stanza.status.message,
    ok: stanza.status.code === 0 && !full,
    room,
    running: stanza.status.lock?.backup?.held === true,
    newest:
      newest === undefined
        ? null
        : {
            label: newest.label,
            type: newest.type,
            age: Number(now) - newest.timestamp.stop,
            damaged: newest.error === true,
          },
    archivedTo: stanza.archive.at(-1)?.max ?? null,
  };
}

/** Reads what {@link holeProbe} printed: the segment that is missing. @throws Error that says why it cannot be told */
export function parseHole(text: string): string | null {
  if (text.trim() === '') return null;
  const known = parseRepository(text);
  return recoverableSpans(known, known.info.sets.slice(-1)).at(-1)?.hole?.segment ?? null;
}
