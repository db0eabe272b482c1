import { backupHost, databaseRole, runsOdoo, type Cluster } from './cluster.js';
import type { Finding } from './finding.js';

/** Whether anything could be restored. */
export function lintBackup(cluster: Cluster): Finding[] {
  const subject = 'backup';
  const s3 = cluster.postgres.backup?.s3;
  if (s3 !== undefined) return kept(`in the bucket ${s3.bucket} at ${s3.endpoint}`, cluster);
  const host = backupHost(cluster);
  if (host === undefined) {
    return [
      {
        severity: cluster.hosts.length > 1 ? 'warning' : 'note',
        subject,
        message: 'nothing is archived: a lost disk or a wrong DELETE is lost data',
        advice: 'postgres: { backup: { host: … } }, best a host of its own',
      },
    ];
  }
  const local = cluster.filestore.type === 'local' && runsOdoo(host);
  if (local || databaseRole(host) !== undefined) {
    return [
      {
        severity: 'warning',
        subject,
        host: host.name,
        message: 'keeps the data and its backups: with this host both are gone',
        advice: 'copy the repository elsewhere, or give it a host of its own',
      },
    ];
  }
  return kept(`on ${host.name}`, cluster);
}

function kept(where: string, cluster: Cluster): Finding[] {
  const subject = 'backup';
  if (cluster.postgres.backup?.filestore !== undefined) {
    return [
      { severity: 'fine', subject, message: `WAL, backups and attachments are kept ${where}` },
    ];
  }
  return [
    { severity: 'fine', subject, message: `WAL and backups are kept ${where}` },
    {
      severity: 'note',
      subject,
      message: 'attachments are not saved with the database: filestore: off',
      advice: 'save the filestore by your own means, after the database',
    },
  ];
}
