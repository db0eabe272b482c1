import { chmod, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { dirname } from 'node:path';
import { Failure } from '../failure/failure.js';
import { keyType } from './host-key.js';
import { type KnownHost, namesHost, parseKnownHosts } from './known-hosts.js';

/** Work on one file, one after the other: many hosts connect at once and may all have a new key. */
const queues = new Map<string, Promise<unknown>>();

/** Runs `work` when everything asked earlier for the same file is done. */
export function inTurn<T>(file: string, work: () => Promise<T>): Promise<T> {
  const before = queues.get(file) ?? Promise.resolve();
  const mine = before.then(work, work);
  // The queue goes on after a failure; the failure itself reaches whoever asked.
  queues.set(
    file,
    mine.catch(() => undefined),
  );
  return mine;
}

/** All keys of several known_hosts files. A file that does not exist holds none. */
export async function readKnownHosts(files: readonly string[]): Promise<readonly KnownHost[]> {
  const all = await Promise.all(
    files.map(async (file) => parseKnownHosts(await readText(file), file)),
  );
  return all.flat();
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (isMissing(error)) return '';
    throw unusable(file, error);
  }
}

/**
 * Appends a host's key in one write, so that neither another run nor `ssh` loses a line by it. Makes the file
 * (0600) and its folder (0700) where they are missing.
 */
export async function appendKnownHost(file: string, name: string, key: Buffer): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    const text = await readText(file);
    const handle = await open(file, 'a', 0o600);
    try {
      const gap = text === '' || text.endsWith('\n') ? '' : '\n';
      await handle.write(`${gap}${knownHostLine(name, key)}\n`);
      await handle.datasync().catch(ignoreNoSync);
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw error instanceof Failure ? error : unusable(file, error);
  }
}

/**
 * Records a host's key in place of all others under that name. The file is written beside and renamed, so it
 * is whole at any moment; its mode stays.
 * @throws Failure host-key: another key stands in a line whose pattern means other hosts as well
 */
export async function replaceKnownHost(file: string, name: string, key: Buffer): Promise<void> {
  const text = await readText(file);
  const kept = text === '' ? [] : text.replace(/\n$/, '').split('\n');
  const others = parseKnownHosts(text, file).filter(
    (entry) => entry.marker === undefined && namesHost(entry.hosts, name),
  );
  const rows = kept.flatMap((row, index) => {
    const entry = others.find((other) => other.line === index + 1);
    if (entry === undefined || entry.key.equals(key)) return [row];
    return withoutName(row, entry, name);
  });
  if (!others.some((entry) => entry.key.equals(key))) rows.push(knownHostLine(name, key));
  await writeWhole(file, `${rows.join('\n')}\n`);
}

function withoutName(row: string, entry: KnownHost, name: string): string[] {
  if (entry.hosts.startsWith('|')) return [];
  const left = entry.hosts.split(',').filter((host) => host.toLowerCase() !== name);
  if (namesHost(left.join(','), name)) {
    throw new Failure({
      reason: 'host-key',
      message: `${entry.file}:${entry.line} gives another key for ${name} by the pattern ${entry.hosts}`,
      remedy:
        'change or remove that line by hand, since it may mean other hosts too, and run again',
    });
  }
  return left.length === 0 ? [] : [row.replace(entry.hosts, () => left.join(','))];
}

async function writeWhole(file: string, text: string): Promise<void> {
  const temporary = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    const mode = await stat(file).then(
      (found) => found.mode & 0o777,
      () => 0o600,
    );
    const handle = await open(temporary, 'wx', 0o600);
    try {
      await handle.writeFile(text);
      await handle.datasync();
    } finally {
      await handle.close();
    }
    await chmod(temporary, mode);
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw unusable(file, error);
  }
}

function knownHostLine(name: string, key: Buffer): string {
  return `${name} ${keyType(key)} ${key.toString('base64')}`;
}

function unusable(file: string, cause: unknown): Failure {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new Failure({
    reason: 'host-key',
    message: `the file of known host keys ${file} cannot be used`,
    output: why,
    remedy: `make ${file} readable and writable for you, or name another with ssh.known_hosts`,
    cause,
  });
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

/** /dev/null and pipes cannot be synchronised; that is no reason to refuse what the user configured. */
function ignoreNoSync(error: unknown): void {
  if (error instanceof Error && 'code' in error && error.code === 'EINVAL') return;
  throw error;
}
