import { Option, type Command } from 'commander';
import type { BackupFlags } from './backup.js';
import { list, withBecome } from './command-options.js';
import type { FailoverTestFlags } from './failover-test.js';
import type { FailoverFlags, RejoinFlags, SwitchoverFlags } from './primary.js';
import type { RestoreFlags } from './restore.js';

/** `switchover FILE`, `failover FILE`, `rejoin FILE` */
export function addPrimary(program: Command): void {
  const dry = 'print every step and do nothing';
  withBecome(
    program
      .command('switchover')
      .description('move the primary to a standby; nothing is lost')
      .argument('<file>', 'inventory')
      .option('--to <host>', 'the standby; without it the one that has most')
      .option('--force', 'also while the archive takes no WAL: clients wait as long as that takes')
      .option('--dry-run', dry)
      .option('--yes', 'do not ask'),
  ).action(async (file: string, flags: SwitchoverFlags) =>
    (await import('./primary.js')).switchover(file, flags),
  );
  withBecome(
    program
      .command('failover')
      .description('promote a standby because the primary is lost')
      .argument('<file>', 'inventory')
      .option('--to <host>', 'the standby; without it the one that has most')
      .option(
        '--confirm-dead <hosts>',
        'these are off and stay off, by your word; comma between',
        list,
      )
      .option('--force', 'also while the primary is alive: it is stopped')
      .addOption(
        new Option(
          '--on-standby-loss <way>',
          'with synchronous replication and no standby left: commits wait (block) or do not (continue)',
        ).choices(['block', 'continue']),
      )
      .option('--dry-run', dry)
      .option('--yes', 'do not ask'),
  ).action(async (file: string, flags: FailoverFlags) =>
    (await import('./primary.js')).failover(file, flags),
  );
  withBecome(
    program
      .command('rejoin')
      .description('make a lost primary a standby of the new one')
      .argument('<file>', 'inventory')
      .option('--host <host>', 'only this one')
      .option('--no-save', 'do not save the rows that only it has: they are given up')
      .option('--keep-data', 'keep all of its old data in a folder beside the new')
      .option('--clone', 'copy everything from the primary anew: for data that is damaged')
      .option('--dry-run', dry)
      .option('--yes', 'do not ask'),
  ).action(async (file: string, flags: RejoinFlags) =>
    (await import('./primary.js')).rejoin(file, flags),
  );
}

/** `failover-test FILE` */
export function addFailoverTest(program: Command): void {
  const command = program
    .command('failover-test')
    .description('break one thing after the other under load, and judge what came of it')
    .argument('<file>', 'inventory')
    .option('--list', 'show the scenarios and what is expected of this cluster; contacts nobody')
    .option(
      '--scenario <names>',
      'only these, comma between; or the word all: every scenario, also those that are run by name only',
      list,
    )
    .option('--on <host>', 'gets the copies of point-in-time-recovery; default: the backup host')
    .option('--report <folder>', 'write the report there: HTML, JSON, JUnit')
    .option('--json', 'the report as JSON on standard output')
    .option('--yes', 'do not ask');
  withBecome(command).action(async (file: string, flags: FailoverTestFlags) =>
    (await import('./failover-test.js')).failoverTest(file, flags),
  );
}

/** `backup FILE` */
export function addBackup(program: Command): void {
  const command = program
    .command('backup')
    .description('make a backup now, list what can be restored, or name this moment')
    .argument('<file>', 'inventory')
    .addOption(
      new Option(
        '--type <type>',
        'incr (default): what changed since the last one; diff: since the last full one',
      )
        .choices(['full', 'diff', 'incr'])
        .conflicts(['list', 'name']),
    )
    .addOption(
      new Option('--list', 'only show backups, and the moments that can be restored').conflicts(
        'name',
      ),
    )
    .option('--name <name>', 'only give this moment a name, for restore --to-name')
    .addOption(
      new Option(
        '--verify',
        'only restore the newest one beside everything else, and compare all rows',
      ).conflicts(['list', 'name', 'type']),
    )
    .addOption(
      new Option(
        '--on <host>',
        'with --verify: where; the host that keeps the backups if not given',
      ).conflicts(['list', 'name', 'type']),
    )
    .option('--json', 'the list as JSON');
  withBecome(command).action(async (file: string, flags: BackupFlags) =>
    (await import('./backup.js')).backup(file, flags),
  );
}

/** `restore FILE` */
export function addRestore(program: Command): void {
  const command = program
    .command('restore')
    .description('set the database back to a moment in the archive, or make a copy of that moment')
    .argument('<file>', 'inventory')
    .option(
      '--to-time <time>',
      "e.g. '2026-11-22 13:05:00', in this machine's zone or with +01:00 or Z",
    )
    .option('--to-name <name>', 'a restore point that backup --name made')
    .option('--latest', 'all that was archived')
    .addOption(
      new Option('--on <host>', 'a copy on this host instead, beside everything else').conflicts(
        'confirm',
      ),
    )
    .addOption(
      new Option(
        '--new-hosts',
        'all but the backups is lost: make the cluster anew on bare hosts',
      ).conflicts(['on', 'discardOld']),
    )
    .option(
      '--recovery-key-file <file>',
      'with --new-hosts, where the secrets are lost as well: the recovery key, instead of typing it',
    )
    .option('--dry-run', 'only say what would be done')
    .option('--confirm <cluster>', "the cluster's name, instead of typing it when asked")
    .option(
      '--discard-old',
      'only remove the data that earlier restores have kept; with --on: the copy',
    );
  withBecome(command).action(async (file: string, flags: RestoreFlags) =>
    (await import('./restore.js')).restore(file, flags),
  );
}
