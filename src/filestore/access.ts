import type { S3Bucket } from '../inventory/cluster.js';
import { S3_KEY, S3_SECRET } from '../postgres/bucket.js';
import { hostCertificate } from '../postgres/certificates.js';
import { repositoryOf } from '../postgres/pgbackrest.js';
import { absentFile, file } from '../resource/index.js';
import type { Resource } from '../resource/kind.js';
import type { Site } from '../role/role.js';
import { quote, Secret } from '../shell/index.js';
import { BACKUP_USER, CLIENT, FILESTORE_PORT, filestoreRepository, SERVER } from './layout.js';

/*
 * Where restic's repository is, and what it is reached by: all that differs between a host that keeps it and a bucket.
 * It is in one file, which the programs read, and which replaces what another place has left: the key of a bucket too.
 */

/** By what a keeper admits the source. */
const IDENTITY = `${CLIENT}/identity.pem`;
const SECRET = { group: BACKUP_USER, mode: '0640' } as const;

interface Way {
  readonly repository: string;
  /** Of restic. None has a blank in it: names, paths and regions are checked. */
  readonly options: readonly string[];
  /** Of a bucket. */
  readonly key?: Secret;
  readonly secret?: Secret;
}

/** The file that says where the snapshots are and how a host gets there. */
export function accessFile(folder: string): string {
  return `${folder}/access`;
}

/** What the source has in its folder to come to the keeper by, or into the bucket. */
export function sourceAccess(site: Site, cache: string): readonly Resource[] {
  const { s3 } = repositoryOf(site.cluster).backup;
  if (s3 !== undefined) {
    return [...bucketAccess(site, CLIENT, cache), absentFile(IDENTITY)];
  }
  const { cluster, host } = site;
  const own = hostCertificate(site.secret('filestore-backup-tls'), host.name, { dns: [] });
  const authority = `${CLIENT}/authority.crt`;
  const port = String(FILESTORE_PORT);
  return [
    file({ path: authority, content: own.authority }),
    // restic wants both in one file.
    file({ path: IDENTITY, content: new Secret(own.key.reveal() + own.certificate), ...SECRET }),
    ...files(site, CLIENT, {
      repository: `rest:https://${repositoryOf(cluster).host.address}:${port}/`,
      options: ['--cacert', authority, '--tls-client-cert', IDENTITY, '--cache-dir', cache],
    }),
  ];
}

/** What a host of the snapshots has in its folder to come to them by. */
export function keeperAccess(site: Site, cache: string): readonly Resource[] {
  if (repositoryOf(site.cluster).backup.s3 !== undefined) return bucketAccess(site, SERVER, cache);
  const repository = filestoreRepository(site.cluster);
  return files(site, SERVER, { repository, options: ['--no-cache'] });
}

/** That a source has nothing left by which it could reach snapshots. */
export function noSourceAccess(): readonly Resource[] {
  return [...noAccess(CLIENT), absentFile(IDENTITY)];
}

/** That nothing is left in a folder by which snapshots in a bucket could be reached. */
export function noAccess(folder: string): readonly Resource[] {
  return [accessFile(folder), `${folder}/password`].map(absentFile);
}

function bucketAccess(site: Site, folder: string, cache: string): readonly Resource[] {
  const { s3 } = repositoryOf(site.cluster).backup;
  if (s3 === undefined) throw new Error('this cluster has no bucket');
  const authority = `${folder}/authority.crt`;
  return [
    s3.ca === undefined ? absentFile(authority) : file({ path: authority, content: s3.ca }),
    ...files(site, folder, {
      repository: bucketUrl(s3, filestoreRepository(site.cluster)),
      options: [
        '-o',
        `s3.bucket-lookup=${s3.uriStyle === 'path' ? 'path' : 'dns'}`,
        '-o',
        `s3.region=${s3.region}`,
        ...(s3.ca === undefined ? [] : ['--cacert', authority]),
        '--cache-dir',
        cache,
      ],
      key: site.secret(S3_KEY),
      secret: site.secret(S3_SECRET),
    }),
  ];
}

/** A bucket as restic writes it. The style of its addresses is an option. */
function bucketUrl({ endpoint, port, bucket }: S3Bucket, path: string): string {
  return `s3:https://${endpoint}${port === 443 ? '' : `:${String(port)}`}/${bucket}${path}`;
}

function files(site: Site, folder: string, way: Way): readonly Resource[] {
  const quoted = (value: Secret): Secret => new Secret(quote(value.reveal()));
  return [
    file({
      path: `${folder}/password`,
      content: site.secret('filestore-backup-password'),
      ...SECRET,
    }),
    file({
      path: accessFile(folder),
      content: site.template('filestore-backup/access.hbs', {
        repository: way.repository,
        folder,
        options: way.options.join(' '),
        keys: [
          ...(way.key === undefined ? [] : [{ name: 'AWS_ACCESS_KEY_ID', value: quoted(way.key) }]),
          ...(way.secret === undefined
            ? []
            : [{ name: 'AWS_SECRET_ACCESS_KEY', value: quoted(way.secret) }]),
        ],
      }),
      ...SECRET,
    }),
  ];
}
