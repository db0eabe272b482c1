import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join } from 'node:path';
import sshConfig from 'ssh-config';
import { Failure } from '../failure/failure.js';
import { matchesPattern } from './known-hosts.js';

/** What `~/.ssh/config` says for one host; keywords in lower case. */
export type HostConfig = Readonly<Record<string, string | readonly string[]>>;

/** A read `~/.ssh/config`. */
export interface UserConfig {
  /** @param user the user that is already decided on, for `Match user` */
  lookup(host: string, user?: string): HostConfig;
}

/** OpenSSH's own limit of nested includes (readconf.c, READCONF_MAX_DEPTH). */
const MAX_DEPTH = 16;

/**
 * Reads a client configuration with its `Include`s; a file that does not exist says nothing.
 * @param home the folder that `~` stands for
 * @throws Failure usage: it cannot be read or is not a configuration
 */
export async function readUserConfig(home: string): Promise<UserConfig> {
  const file = join(home, '.ssh', 'config');
  return parseUserConfig(await withIncludes(file, home, 0), file);
}

/**
 * `Match exec` never matches: it would run commands at a place where nobody expects it.
 * @param file named in the error
 */
export function parseUserConfig(text: string, file: string): UserConfig {
  let parsed: ReturnType<typeof sshConfig.parse>;
  try {
    parsed = sshConfig.parse(text);
  } catch (error) {
    throw unusable(file, error);
  }
  return {
    lookup: (host, user) =>
      parsed.compute(user === undefined ? { Host: host } : { Host: host, User: user }, {
        ignoreCase: true,
        matchExec: false,
      }),
  };
}

async function withIncludes(file: string, home: string, depth: number): Promise<string> {
  if (depth > MAX_DEPTH) throw unusable(file, new Error('too many nested Include lines'));
  const rows = (await readText(file)).split('\n');
  const texts = await Promise.all(
    rows.map(async (row) => {
      const include = /^\s*include(?:\s+|\s*=\s*)(.+?)\s*$/i.exec(row)?.[1];
      if (include === undefined) return row;
      const patterns = include.split(/\s+/).map((word) => word.replaceAll('"', ''));
      const found = await Promise.all(patterns.map((pattern) => filesOf(pattern, home)));
      const parts = found.flat().map((path) => withIncludes(path, home, depth + 1));
      return (await Promise.all(parts)).join('\n');
    }),
  );
  return texts.join('\n');
}

/** The files that an `Include` pattern names, sorted; wildcards may stand in the last part of the path. */
async function filesOf(pattern: string, home: string): Promise<string[]> {
  const expanded = pattern.startsWith('~/') ? join(home, pattern.slice(2)) : pattern;
  const path = isAbsolute(expanded) ? expanded : join(home, '.ssh', expanded);
  if (!/[*?]/.test(basename(path))) return [path];
  try {
    const names = await readdir(dirname(path));
    const wanted = names.filter((name) => matchesPattern(basename(path), name));
    return wanted
      .filter((name) => !name.startsWith('.'))
      .sort()
      .map((name) => join(dirname(path), name));
  } catch (error) {
    if (isMissing(error)) return [];
    throw unusable(path, error);
  }
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (isMissing(error)) return '';
    throw unusable(file, error);
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

function unusable(file: string, cause: unknown): Failure {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new Failure({
    reason: 'usage',
    message: `${file} cannot be read: ${why}`,
    remedy: `mend ${file}; \`ssh -G HOST\` shows whether OpenSSH understands it`,
    cause,
  });
}
