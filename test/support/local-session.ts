import { spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Host } from '../../src/inventory/cluster.js';
import type { Script } from '../../src/shell/index.js';
import type { Answer, RunOptions, Session } from '../../src/transport/session.js';
import { testHost } from './site.js';

/**
 * A session whose host is a folder: scripts run in a real shell on this machine, with the three folders
 * that the engine keeps on a host moved into a temporary one. For tests of the engine without any host.
 */
export class LocalSession implements Session {
  readonly host: Host;
  readonly folder: string;
  readonly use = { connections: 1, execs: 0, bytesSent: 0, bytesReceived: 0 };

  constructor(name: string, folder = mkdtempSync(join(tmpdir(), 'odoo-prov-test-'))) {
    this.host = testHost(name, 1, ['app']);
    this.folder = folder;
  }

  async run(script: Script, options: RunOptions = {}): Promise<Answer> {
    this.use.execs += 1;
    const shell = spawn('sh', ['-s'], { stdio: ['pipe', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    let line = '';
    shell.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      const [first = '', ...rest] = text.split('\n');
      const all = [line + first, ...rest];
      line = all.pop() ?? '';
      all.forEach((whole) => options.onLine?.(whole));
    });
    shell.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const ended = new Promise<number>((resolve, reject) => {
      shell.on('error', reject);
      shell.on('close', (code) => resolve(code ?? -1));
    });
    shell.stdin.write(this.#moved(script));
    if (options.feed !== undefined) {
      for await (const more of options.feed) shell.stdin.write(this.#moved(more));
    }
    shell.stdin.end();
    return { code: await ended, stdout, stderr };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #moved(script: Script): string {
    const text = script
      .render()
      .replaceAll(/\/(run|var\/lib|var\/log)\/odoo-prov/g, `${this.folder}/$1`);
    return `${text}\n`;
  }
}
