import { mkdir } from 'node:fs/promises';
import path from 'node:path';

import { command, expectSuccess } from './command.js';
import { exists } from './files.js';
import { withLock } from './lock.js';
import { machineMirrors } from './machine-mirrors.js';
import { cacheDirectory } from './paths.js';
import { baseRecipe, mmdebstrapArguments, recipeHash } from './recipe.js';
import type { Release } from './spec.js';

/**
 * The folder with the base image of a release, built if the cache does not have it.
 * @throws Failure lab when the mirror cannot be reached or has no such release
 */
export async function ensureBaseImage(
  release: Release,
  onProgress: (line: string) => void,
): Promise<string> {
  const recipe = baseRecipe(release, await machineMirrors());
  const image = path.join(cacheDirectory(), 'base', `${release}-${recipeHash(recipe)}`);
  if (await exists(image)) return image;
  await withLock(`base-${release}`, async () => {
    if (await exists(image)) return;
    onProgress(`building the base image of ${release} (once, about 40 s)`);
    await mkdir(path.dirname(image), { recursive: true, mode: 0o755 });
    const partial = `${image}.partial`;
    // A build that was killed may still run for a moment, so each build has a folder of its own.
    const target = path.join(partial, String(process.pid));
    await expectSuccess('remove an unfinished base image', command`rm -rf ${partial}`);
    await mkdir(partial, { recursive: true });
    await expectSuccess(
      `build the base image of ${release}`,
      command({ input: recipe.sources })`mmdebstrap ${mmdebstrapArguments(recipe, target)}`,
      'see whether this machine reaches its package mirror: apt-get update',
    );
    await expectSuccess('keep the base image', command`mv ${target} ${image}`);
    await expectSuccess('remove an empty folder', command`rm -rf ${partial}`);
  });
  return image;
}
