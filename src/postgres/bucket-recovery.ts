import type { S3Bucket } from '../inventory/cluster.js';
import { base64, lines, sh, type Script, type Secret } from '../shell/index.js';
import { BUCKET_AUTHORITY, bucketOptions } from './bucket.js';
import { AS_POSTGRES, RECOVERY_COPY } from './repository-files.js';

/** In memory: the host is bare, and what it will have for good comes by apply. */
const FOLDER = '/run/odoo-prov-recovery';

/**
 * Prints the copy of the secrets from a bucket, nothing where there is none, on a host that has pgBackRest's package
 * and nothing of ours. What it needs for that is there as long as it runs.
 * @param path of the repository in the bucket
 * @param render fills in `backup/pgbackrest.conf.hbs`
 */
export function fetchRecoveryCopy(
  bucket: S3Bucket,
  path: string,
  secret: (name: string) => Secret,
  render: (data: Readonly<Record<string, unknown>>) => string | Secret,
): Script {
  const all = { ...bucketOptions(bucket, secret, FOLDER), 'repo1-path': path };
  const options = Object.entries(all).map(([key, value]) => ({
    key,
    value: typeof value === 'number' ? String(value) : value,
  }));
  const files: readonly (readonly [name: string, text: string | Secret])[] = [
    ['pgbackrest.conf', render({ sections: [{ name: 'global', options }] })],
    ...(bucket.ca === undefined ? [] : [[BUCKET_AUTHORITY, bucket.ca] as const]),
  ];
  return sh`(
${AS_POSTGRES}
umask 077
install -d -o postgres -g postgres -m 700 ${FOLDER}
trap ${`rm -rf ${FOLDER}`} EXIT
# dash leaves out the one above where a signal ends it.
trap 'exit 1' HUP INT TERM
${lines(files.map(([name, text]) => sh`printf %s ${base64(text)} | base64 -d >${`${FOLDER}/${name}`}`))}
chown postgres:postgres ${files.map(([name]) => `${FOLDER}/${name}`)}
as_postgres pgbackrest --config=${`${FOLDER}/pgbackrest.conf`} --log-level-console=off --log-level-stderr=error \
  --log-level-file=off repo-get --raw --ignore-missing ${RECOVERY_COPY} || [ $? -eq 1 ] || exit 1
)`;
}
