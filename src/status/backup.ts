import { z } from 'zod';
import { sh, type Script } from '../shell/index.js';

/** The newest backup, as pgBackRest on the host that keeps the repository tells. */
export interface BackupStatus {
  /** pgBackRest's word on the repository: `ok`, or what is the matter. */
  readonly message: string;
  readonly ok: boolean;
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
}

/** The part of `pgbackrest info --output=json` that is read (pgBackRest user guide, "Information"). */
const info = z.array(
  z.object({
    status: z.object({ code: z.number(), message: z.string() }),
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

/**
 * Prints the time and what pgBackRest knows, on the host whose configuration holds the repository itself;
 * nothing elsewhere, or where pgBackRest is not configured.
 */
export function backupProbe(): Script {
  return sh`
for config in /etc/pgbackrest.conf /etc/pgbackrest/pgbackrest.conf; do
  if [ -s "$config" ] && command -v pgbackrest >/dev/null &&
    grep -q '^repo1-' "$config" && ! grep -q '^repo1-host *=' "$config"; then
    date +%s
    user=$(stat -c %U "$config")
    [ "$user" != root ] || user=postgres
    cd / && exec setpriv --reuid="$user" --regid="$user" --init-groups \
      timeout 6 pgbackrest --config="$config" --log-level-console=error info --output=json
  fi
done`;
}

/** Reads what {@link backupProbe} printed; null where nothing is configured. @throws Error on anything else */
export function parseBackup(text: string): BackupStatus | null {
  const [now = '', ...rest] = text.trim().split('\n');
  if (now === '') return null;
  const [stanza] = info.parse(JSON.parse(rest.join('\n')));
  if (stanza === undefined)
    return { message: 'no stanza', ok: false, newest: null, archivedTo: null };
  const newest = stanza.backup.at(-1);
  return {
    message: stanza.status.message,
    ok: stanza.status.code === 0,
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
