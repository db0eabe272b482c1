import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { onTestFinished } from 'vitest';
import type { Host } from '../../src/inventory/cluster.js';
import type { Script } from '../../src/shell/index.js';
import type { Answer, RunOptions, Session } from '../../src/transport/session.js';
import { testHost } from './site.js';

/**
 * A session whose host is a folder: scripts run in a real shell on this machine, with the three folders
 * that the engine keeps on a host moved into a temporary one, which goes with the test. For tests of the
 * engine without any host; made inside of a test.
 */
export class LocalSession implements Session {
  readonly host: Host;
  readonly folder: string;
  readonly use = { connections: 1, execs: 0, bytesSent: 0, bytesReceived: 0 };

  constructor(name: string) {
    this.host = testHost(name, 1, ['app']);
    this.folder = mkdtempSync(join(tmpdir(), 'odoo-prov-test-'));
    onTestFinished(() => rmSync(this.folder, { recursive: true, force: true }));
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
    // As on a real host, a shell that ends early does not wait for the rest.
    await Promise.race([this.#send(options.feed, shell.stdin), ended]);
    shell.stdin.end();
    return { code: await ended, stdout, stderr };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async #send(feed: AsyncIterable<Script> | undefined, stdin: Writable): Promise<void> {
    if (feed === undefined) return;
    for await (const more of feed) stdin.write(this.#moved(more));
  }

  #moved(script: Script): string {
    const text = script
      .render()
      .replaceAll(/\/(run|var\/lib|var\/log)\/odoo-prov/g, `${this.folder}/$1`);
    return `${text}\n`;
  }
}
