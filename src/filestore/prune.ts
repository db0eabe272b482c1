import { repositoryOf, stanzaOf } from '../postgres/pgbackrest.js';
import { directory, file, keyOf, unit, user } from '../resource/index.js';
import type { Resource } from '../resource/kind.js';
import type { Site } from '../role/role.js';
import { keeperAccess, noAccess } from './access.js';
import {
  BACKUP_USER,
  PROGRAMS,
  PRUNE_CACHE,
  PRUNE_UNIT,
  REPOSITORY_PROGRAM,
  RESTIC_LIBRARY,
  savesInBucket,
  SERVER,
  SERVER_UNIT,
} from './layout.js';

/*
 * What lists snapshots, and removes those that no moment needs any more. How far back moments go pgBackRest knows: so
 * this is where its repository is, on the keeper, or with a bucket on every database host.
 */

const UNITS = '/etc/systemd/system';
const PRUNE_TIMER = PRUNE_UNIT.replace('.service', '.timer');
/** An hour in which no backup of the database begins by itself: they begin at one. */
const PRUNE_AT = '*-*-* 05:20:00';

/** The program that does both, and what it needs. restic is installed before. */
export function repositoryTools(site: Site): readonly Resource[] {
  const { cluster } = site;
  const bucket = savesInBucket(cluster);
  return [
    user({ name: BACKUP_USER }),
    directory({ path: SERVER, group: BACKUP_USER, mode: '0750' }),
    ...(bucket
      ? [directory({ path: PRUNE_CACHE, owner: BACKUP_USER, group: BACKUP_USER, mode: '0700' })]
      : []),
    ...keeperAccess(site, PRUNE_CACHE),
    file({
      path: `${SERVER}/environment`,
      content: site.template('filestore-backup/server-environment.hbs', {
        stanza: stanzaOf(cluster),
        user: BACKUP_USER,
      }),
    }),
    directory({ path: PROGRAMS }),
    file({ path: RESTIC_LIBRARY, content: site.asset('filestore-backup/restic.sh') }),
    file({
      path: REPOSITORY_PROGRAM,
      content: site.asset('filestore-backup/repository.sh'),
      mode: '0755',
    }),
  ];
}

/** The removal, each night. */
export function pruning(site: Site): readonly Resource[] {
  const { cluster } = site;
  const service = file({
    path: `${UNITS}/${PRUNE_UNIT}`,
    content: site.template('filestore-backup/prune.service.hbs', {
      cluster: cluster.name,
      program: REPOSITORY_PROGRAM,
      bucket: savesInBucket(cluster),
    }),
  });
  const timer = file({
    path: `${UNITS}/${PRUNE_TIMER}`,
    content: site.template('filestore-backup/timer.hbs', {
      what: `removal of old snapshots of the filestore of ${cluster.name}`,
      calendar: PRUNE_AT,
    }),
  });
  return [service, timer, unit({ name: PRUNE_TIMER, restartFor: [keyOf(timer), keyOf(service)] })];
}

/** That nothing is removed by itself. */
export function noPruning(): readonly Resource[] {
  return [unit({ name: PRUNE_TIMER, running: false, enabled: false })];
}

/**
 * On a database host: all of it where a bucket has the snapshots. A promotion changes no file, and the removal goes on
 * wherever the primary is; what goes follows from the bucket alone, so a host that was the primary does no harm.
 * Otherwise, that nothing is left of a time when it was so, or when it was the keeper. A keeper has its own by that role.
 */
export function bucketPruning(site: Site): readonly Resource[] {
  const { cluster, host } = site;
  if (repositoryOf(cluster).backup.host === host.name) return [];
  return [
    unit({ name: SERVER_UNIT, running: false, enabled: false }),
    ...(savesInBucket(cluster)
      ? [...repositoryTools(site), ...pruning(site)]
      : [...noPruning(), ...noAccess(SERVER)]),
  ];
}
