import { EventEmitter } from 'node:events';
import { expect, it } from 'vitest';
import { sh } from '../../src/shell/index.js';
import type { Link } from '../../src/transport/link.js';
import { SshSession } from '../../src/transport/ssh-session.js';
import { testHost } from '../support/site.js';

/** A connection whose host says something and is gone. @param stderr gets what marks the lines of this command */
function cut(stdout: string, stderr: (nonce: string) => string): Link {
  const gone = new Error('Keepalive timeout');
  let lost: (error: Error) => void = () => undefined;
  const exec = (command: string, callback: (error: undefined, channel: unknown) => void): void => {
    const [, encoded = ''] = /^echo (\S+) /.exec(command) ?? [];
    const script = Buffer.from(encoded, 'base64').toString();
    const [, nonce = ''] = /@started (\w+)/.exec(script) ?? [];
    const channel = Object.assign(new EventEmitter(), {
      stderr: new EventEmitter(),
      ...{ writable: true, write: () => true, end: () => undefined },
      ...{ signal: () => undefined, close: () => undefined },
    });
    callback(undefined, channel);
    channel.stderr.emit('data', Buffer.from(stderr(nonce)));
    channel.emit('data', Buffer.from(stdout));
    lost(gone);
  };
  return {
    client: { exec } as unknown as Link['client'],
    bytes: { sent: () => 0, received: () => 0 },
    lost: () => undefined,
    onLost: (listener) => {
      lost = listener;
      return () => undefined;
    },
    close: () => Promise.resolve(),
  };
}

it.each([
  ['one that was started', (nonce: string) => `lecture\n@started ${nonce}\nlast words\n`],
  ['one that was not', (nonce: string) => `@password ${nonce}last words\n`],
])('a command that is cut off shows what it said, and no line of ours: %s', async (_, stderr) => {
  const host = testHost('db1', 1, ['pg-primary']);
  const link = cut('copied 5 MB\n', stderr);
  const session = new SshSession(host, link, { user: 'root', elevation: 'none' });
  await expect(session.run(sh`true`)).rejects.toMatchObject({
    details: { reason: 'cut-answer', host: 'db1', output: 'copied 5 MB\n\nlast words' },
  });
});
