import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm, stat, utimes } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { get } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';

// An index may be this old before the mirror is asked whether it changed.
const FRESH_MILLISECONDS = 300_000;
const UPSTREAM_TIMEOUT_MILLISECONDS = 60_000;
const CHUNK = 256 * 1024;

/** A file on its way from the mirror: readers follow it as it grows. */
interface Download {
  readonly file: string;
  readonly length: number | undefined;
  readonly modified: string | undefined;
  written: number;
  done: boolean;
  failed: Error | undefined;
  /** Wakes the readers; replaced at each step. */
  step: PromiseWithResolve;
}

interface PromiseWithResolve {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
}

/** What a request led to: a stored file, one on its way, or an answer of the mirror to pass on. */
type Found =
  | { readonly type: 'stored'; readonly file: string }
  | { readonly type: 'download'; readonly download: Download }
  | { readonly type: 'other'; readonly answer: IncomingMessage };

/**
 * Packages and indexes by their address. Files that never change under their name (packages, `by-hash`
 * indexes) are fetched once and for all; others are revalidated. Several hosts asking for one file at
 * the same time share one download.
 */
export class PackageStore {
  readonly #directory: string;
  readonly #upstreamProxy: string | undefined;
  readonly #running = new Map<string, Promise<Found>>();

  /** @param upstreamProxy `http://host:port`, where the mirror is reached through a proxy */
  constructor(directory: string, upstreamProxy?: string) {
    this.#directory = directory;
    this.#upstreamProxy = upstreamProxy;
  }

  /** Answers one request. @throws when the mirror cannot be reached and nothing is stored */
  async send(url: URL, knownDate: string | undefined, response: ServerResponse): Promise<void> {
    const found = await this.#find(url);
    switch (found.type) {
      case 'stored':
        return sendStored(found.file, knownDate, response);
      case 'download':
        return sendDownload(found.download, response);
      case 'other': {
        const { answer } = found;
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        return pipeline(answer, response);
      }
    }
  }

  async #find(url: URL): Promise<Found> {
    const file = this.#fileOf(url);
    const running = this.#running.get(file);
    if (running !== undefined) {
      const found = await running;
      // An answer that is passed on has one reader only.
      if (found.type !== 'other') return found;
    }
    const finding = this.#findOrFetch(url, file);
    this.#running.set(file, finding);
    const forget = (): void => {
      if (this.#running.get(file) === finding) this.#running.delete(file);
    };
    finding.then(
      (found) => {
        if (found.type !== 'download') forget();
        else void whenOver(found.download).then(forget);
      },
      () => forget(),
    );
    return finding;
  }

  async #findOrFetch(url: URL, file: string): Promise<Found> {
    const stored = await stat(file).catch(() => undefined);
    const fresh =
      stored !== undefined &&
      (isImmutable(url) || Date.now() - stored.ctimeMs < FRESH_MILLISECONDS);
    if (fresh) return { type: 'stored', file };
    let answer: IncomingMessage;
    try {
      answer = await this.#ask(url, stored?.mtime);
    } catch (error) {
      // An old index is better than none: apt itself judges whether it is too old.
      if (stored !== undefined) return { type: 'stored', file };
      throw error;
    }
    if (answer.statusCode === 304 && stored !== undefined) {
      answer.resume();
      // Renews the time of change, which is the time of the last look at the mirror.
      await utimes(file, stored.atime, stored.mtime);
      return { type: 'stored', file };
    }
    if (answer.statusCode !== 200) return { type: 'other', answer };
    return { type: 'download', download: await this.#store(answer, file) };
  }

  async #store(answer: IncomingMessage, file: string): Promise<Download> {
    await mkdir(path.dirname(file), { recursive: true });
    // Several labs, each with its own server, share the folder.
    const partial = `${file}.${process.pid}.part`;
    const handle = await open(partial, 'w');
    const length = answer.headers['content-length'];
    const download: Download = {
      file: partial,
      length: length === undefined ? undefined : Number(length),
      modified: answer.headers['last-modified'],
      written: 0,
      done: false,
      failed: undefined,
      step: withResolve(),
    };
    void receive(answer, handle, download, file);
    return download;
  }

  #fileOf(url: URL): string {
    const name = path.normalize(`/${url.host}${decodeURIComponent(url.pathname)}`);
    return path.join(this.#directory, name);
  }

  async #ask(url: URL, since: Date | undefined): Promise<IncomingMessage> {
    const headers = since === undefined ? {} : { 'if-modified-since': since.toUTCString() };
    return new Promise((resolve, reject) => {
      const proxy = this.#upstreamProxy === undefined ? undefined : new URL(this.#upstreamProxy);
      const request = get(
        proxy === undefined
          ? { host: url.hostname, port: url.port || 80, path: url.pathname + url.search, headers }
          : {
              host: proxy.hostname,
              port: proxy.port || 80,
              path: url.href,
              headers: { ...headers, host: url.host },
            },
        resolve,
      );
      request.setTimeout(UPSTREAM_TIMEOUT_MILLISECONDS, () => {
        request.destroy(new Error(`${url.host} sent nothing for a minute`));
      });
      request.once('error', reject);
    });
  }
}

/** Packages carry their version in their name, `by-hash` files their hash. */
function isImmutable(url: URL): boolean {
  return /\.u?deb$/.test(url.pathname) || url.pathname.includes('/by-hash/');
}

async function receive(
  answer: IncomingMessage,
  handle: FileHandle,
  download: Download,
  file: string,
): Promise<void> {
  const wake = (): void => {
    const { resolve } = download.step;
    download.step = withResolve();
    resolve();
  };
  try {
    for await (const chunk of answer) {
      const bytes = chunk as Buffer;
      await handle.write(bytes);
      download.written += bytes.length;
      wake();
    }
    if (download.length !== undefined && download.written !== download.length) {
      throw new Error(`got ${download.written} of ${download.length} bytes`);
    }
    await handle.close();
    const modified = new Date(download.modified ?? Date.now());
    await utimes(download.file, modified, modified);
    await rename(download.file, file);
  } catch (error) {
    download.failed = error instanceof Error ? error : new Error(String(error));
    await handle.close().catch(() => undefined);
    await rm(download.file, { force: true });
  }
  download.done = true;
  wake();
}

async function whenOver(download: Download): Promise<void> {
  while (!download.done) await download.step.promise;
}

async function sendStored(
  file: string,
  knownDate: string | undefined,
  response: ServerResponse,
): Promise<void> {
  const { size, mtime } = await stat(file);
  if (
    knownDate !== undefined &&
    Date.parse(knownDate) >= Math.floor(mtime.getTime() / 1000) * 1000
  ) {
    response.writeHead(304).end();
    return;
  }
  response.writeHead(200, { 'content-length': size, 'last-modified': mtime.toUTCString() });
  await pipeline(createReadStream(file, { highWaterMark: CHUNK }), response);
}

async function sendDownload(download: Download, response: ServerResponse): Promise<void> {
  // Opened before anything is waited for: the name changes when the download is complete.
  const handle = await open(download.file, 'r');
  try {
    response.writeHead(200, {
      ...(download.length === undefined ? {} : { 'content-length': download.length }),
      ...(download.modified === undefined ? {} : { 'last-modified': download.modified }),
    });
    await pipeline(follow(handle, download), response);
  } finally {
    await handle.close();
  }
}

async function* follow(handle: FileHandle, download: Download): AsyncGenerator<Buffer> {
  let position = 0;
  for (;;) {
    if (download.failed !== undefined) throw download.failed;
    const { done, step } = download;
    while (position < download.written) {
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(CHUNK), 0, CHUNK, position);
      if (bytesRead === 0) break;
      position += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
    if (done) return;
    if (position >= download.written) await step.promise;
  }
}

function withResolve(): PromiseWithResolve {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((each) => {
    resolve = each;
  });
  return { promise, resolve };
}
