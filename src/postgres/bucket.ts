import type { Cluster, S3Bucket } from '../inventory/cluster.js';
import type { Secret } from '../shell/index.js';

/*
 * A bucket as pgBackRest's repository. There is no host between: each database host speaks to the store itself, so
 * each has its key and the passphrase of the repository.
 */

/** The secrets that the store's keeper gives out: odoo-prov cannot make them, the operator sets them. */
export const S3_KEY = 's3-key';
export const S3_SECRET = 's3-secret';
export const GIVEN_SECRETS: readonly string[] = [S3_KEY, S3_SECRET];

/** The authority of the store's certificate, by the file's name in pgBackRest's folder. */
export const BUCKET_AUTHORITY = 's3-authority.crt';

/** The secrets that a cluster needs from outside. */
export function givenSecretsOf(cluster: Cluster): readonly string[] {
  return cluster.postgres.backup?.s3 === undefined ? [] : GIVEN_SECRETS;
}

/** The host that connections go to. */
export function bucketAddress({ endpoint, bucket, uriStyle }: S3Bucket): string {
  return uriStyle === 'path' ? endpoint : `${bucket}.${endpoint}`;
}

/**
 * pgBackRest's options for a bucket.
 * @param folder where {@link BUCKET_AUTHORITY} is
 */
export function bucketOptions(
  bucket: S3Bucket,
  secret: (name: string) => Secret,
  folder: string,
): Readonly<Record<string, string | number | Secret>> {
  return {
    'repo1-type': 's3',
    'repo1-s3-endpoint': bucket.endpoint,
    'repo1-s3-bucket': bucket.bucket,
    'repo1-s3-region': bucket.region,
    'repo1-s3-uri-style': bucket.uriStyle,
    'repo1-s3-key': secret(S3_KEY),
    'repo1-s3-key-secret': secret(S3_SECRET),
    ...(bucket.port === 443 ? {} : { 'repo1-storage-port': bucket.port }),
    ...(bucket.ca === undefined
      ? {}
      : { 'repo1-storage-ca-file': `${folder}/${BUCKET_AUTHORITY}` }),
  };
}
