import { backupHost, databaseRole, runsOdoo, type Cluster } from './cluster.js';
import type { Finding } from './finding.js';

/** Whether anything could be restored. */
export function lintBackup(cluster: Cluster): Finding[] {
  const subject = 'backup';
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
  if (cluster.postgres.backup?.filestore !== undefined) {
    const message = `WAL, backups and attachments are kept on ${host.name}`;
    return [{ severity: 'fine', subject, message }];
  }
  return [
    { severity: 'fine', subject, message: `WAL and backups are kept on ${host.name}` },
    {
      severity: 'note',
      subject,
      message: 'attachments are not saved with the database: filestore: off',
      advice: 'save the filestore by your own means, after the database',
    },
  ];
}
