import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import ssh2, { type PublicKeyAuthMethod } from 'ssh2';
import type { FloorAnswer, FloorJob } from './floor-job.js';

/**
 * A floor as a program of its own: one connection and one exec for each job, all at once, as plainly as ssh2
 * allows. Same kind of login (one public key, asked for at once) and same host key check as the tool.
 * Its one argument is a JSON file with the jobs; the answers are printed as JSON.
 */
async function main(file: string): Promise<void> {
  const jobs = JSON.parse(readFileSync(file, 'utf8')) as readonly FloorJob[];
  const keys = new Map(jobs.map(({ key }) => [key, readFileSync(key)]));
  const answers = await Promise.all(jobs.map((job) => run(job, keys.get(job.key))));
  process.stdout.write(JSON.stringify(answers));
}

function run(job: FloorJob, privateKey: Buffer | undefined): Promise<FloorAnswer> {
  return new Promise((resolve, reject) => {
    if (privateKey === undefined) throw new Error(`no key for ${job.name}`);
    const sock = connect({ host: job.address, port: job.port, noDelay: true });
    sock.once('error', reject);
    sock.once('connect', () => {
      sock.off('error', reject);
      const client = new ssh2.Client();
      client.on('error', reject);
      client.on('ready', () => exec(client, job, resolve, reject));
      const login: PublicKeyAuthMethod = {
        type: 'publickey',
        username: job.user,
        key: privateKey,
      };
      client.connect({
        sock,
        username: job.user,
        hostVerifier: (key: Buffer) => job.hostKeys.includes(key.toString('base64')),
        authHandler: [login],
      });
    });
  });
}

function exec(
  client: ssh2.Client,
  job: FloorJob,
  resolve: (answer: FloorAnswer) => void,
  reject: (error: Error) => void,
): void {
  client.exec(job.command, (error, channel) => {
    if (error !== undefined) {
      reject(error);
      return;
    }
    const chunks: Buffer[] = [];
    let code: number | null = null;
    // Here and not a tick later: the exit code may be in the same packet as the channel's confirmation.
    channel.on('exit', (status: number | null) => (code = status));
    channel.on('data', (chunk: Buffer) => chunks.push(chunk));
    channel.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
    channel.on('close', () => {
      client.end();
      resolve({ name: job.name, code, output: Buffer.concat(chunks).toString('utf8') });
    });
    channel.end();
  });
}

await main(process.argv[2] ?? '');
