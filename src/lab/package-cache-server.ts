// The package cache as a process of its own: node package-cache-server.js ADDRESS PORT DIRECTORY [PROXY]

import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';

import { PackageStore } from './package-store.js';

const [address = '', port = '', directory = '', upstreamProxy] = process.argv.slice(2);
const store = new PackageStore(directory, upstreamProxy);

function answer(request: IncomingMessage, response: ServerResponse): void {
  // A proxy is asked for whole addresses.
  const url = URL.canParse(request.url ?? '') ? new URL(request.url ?? '') : undefined;
  if (request.method !== 'GET' || url?.protocol !== 'http:') {
    response.writeHead(501).end('only GET http://… is answered here\n');
    return;
  }
  store.send(url, request.headers['if-modified-since'], response).catch((error: unknown) => {
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`${new Date().toISOString()} ${url.href}: ${message}\n`);
    if (response.headersSent) response.destroy();
    else response.writeHead(502).end(`${message}\n`);
  });
}

createServer(answer).listen(Number(port), address);
