import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { labSshCommand, type Lab } from '../../src/lab/index.js';

export interface ShellAnswer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a POSIX shell script as root on a test host. */
export type HostShell = (script: string) => Promise<ShellAnswer>;

/** A shell on a host of a lab, over one connection that later calls share. */
export function labShell(lab: Lab, host: string): HostShell {
  return sshShell(labSshCommand(lab.name, host));
}

/** @param command an OpenSSH client's command line, without a remote command */
export function sshShell(command: readonly string[]): HostShell {
  const id = createHash('sha256').update(command.join(' ')).digest('hex').slice(0, 12);
  const [program = 'ssh', ...words] = command;
  const shared = [
    ...['-o', 'ControlMaster=auto', '-o', 'ControlPersist=30'],
    ...['-o', `ControlPath=${join(tmpdir(), `odoo-prov-test-${id}-${String(process.pid)}`)}`],
  ];
  return (script) =>
    new Promise((resolve, reject) => {
      const child = spawn(program, [...shared, ...words, 'LC_ALL=C sh -s'], {
        stdio: ['pipe', 'pipe', 'pipe'],
      });
      const stdout: Buffer[] = [];
      const stderr: Buffer[] = [];
      child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
      child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
      child.on('error', reject);
      child.on('close', (code) => {
        resolve({
          code: code ?? -1,
          stdout: Buffer.concat(stdout).toString('utf8'),
          stderr: Buffer.concat(stderr).toString('utf8'),
        });
      });
      child.stdin.on('error', () => undefined);
      child.stdin.end(script);
    });
}

/** The same, and any other end than 0 is an error that shows what was printed. */
export async function must(shell: HostShell, script: string): Promise<string> {
  const answer = await shell(script);
  if (answer.code !== 0) {
    throw new Error(
      `exit code ${String(answer.code)}\n${script}\n${answer.stdout}${answer.stderr}`,
    );
  }
  return answer.stdout;
}
