import { mkdirSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import { createRequire } from 'node:module';
import { hostCertificate } from '../../src/postgres/certificates.js';
import { Secret } from '../../src/shell/index.js';
import { signatureProblem } from './s3-signature.js';

/** As far as s3rver, which has no types, is used here. */
interface S3rver {
  configureBuckets(): Promise<unknown>;
  callback(): RequestListener;
}
interface Account {
  createKeyPair(key: string, secret: string): void;
}

/** The same each time: a lab that is kept knows it. */
const PORT = 9443;

/** A store that speaks S3's protocol over HTTPS, with signatures checked. */
export interface S3Server {
  /** Address and port. */
  readonly endpoint: string;
  readonly bucket: string;
  readonly region: string;
  /** PEM: who signed its certificate. */
  readonly authority: string;
  readonly key: string;
  readonly secret: string;
  close(): Promise<void>;
}

/**
 * Serves one bucket on an address of this machine, from a folder that outlives it. s3rver takes any signature of
 * version 4 for right, so that is checked before it.
 * @param address what the hosts of a lab reach this machine by
 */
export async function s3Server(address: string, folder: string): Promise<S3Server> {
  const need = createRequire(import.meta.url);
  const Store = need('s3rver') as new (options: Readonly<Record<string, unknown>>) => S3rver;
  const accounts = need('s3rver/lib/models/account.js') as { readonly DUMMY_ACCOUNT: Account };
  const credentials = { key: 'TESTKEYOFTHELAB', secret: 'the+secret/of=the#lab', region: 'lab-1' };
  accounts.DUMMY_ACCOUNT.createKeyPair(credentials.key, credentials.secret);
  const bucket = 'acme-backup';
  const tls = hostCertificate(new Secret('a store of a test'), 'store', {
    dns: [address],
    ip: [address],
  });
  mkdirSync(folder, { recursive: true });
  const store = new Store({
    silent: true,
    directory: folder,
    configureBuckets: [{ name: bucket }],
    vhostBuckets: false,
  });
  await store.configureBuckets();
  const answer = store.callback();
  const server = createServer(
    { key: tls.key.reveal(), cert: tls.certificate },
    (request, response) => {
      const problem = signatureProblem(request, credentials);
      if (problem === undefined) {
        answer(request, response);
        return;
      }
      request.resume();
      response.writeHead(403, { 'content-type': 'application/xml', connection: 'close' });
      response.end(`<?xml version="1.0"?>\n<Error><Code>${problem}</Code></Error>`);
    },
  );
  await new Promise<void>((resolve) => {
    server.listen(PORT, address, resolve);
  });
  return {
    ...credentials,
    endpoint: `${address}:${String(PORT)}`,
    bucket,
    authority: tls.authority,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}
