import { access, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** Reads a text file that may be missing: empty then. Any other error is thrown. */
export async function readIfThere(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  });
}

/** Whether the path exists. */
export async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

/** Writes a file so that a reader, or the next run after a crash, sees the old or the new, never half. */
export async function writeWhole(file: string, text: string, mode = 0o600): Promise<void> {
  const partial = `${file}.new`;
  await rm(partial, { force: true });
  await writeFile(partial, text, { mode });
  await rename(partial, file);
}

/** Writes a file below a host's upper folder, with the folders on its way as Debian has them. */
export async function writeInUpper(
  upper: string,
  file: string,
  text: string,
  mode = 0o644,
): Promise<void> {
  const target = path.join(upper, file);
  await mkdir(path.dirname(target), { recursive: true, mode: 0o755 });
  // Removed first: the host may have put a link there, and it would be followed on this machine.
  await rm(target, { force: true });
  await writeFile(target, text, { mode, flag: 'wx' });
}
