import { absolutePath, type Place } from './build.js';
import type { Mistake, Path } from './source.js';
import type { View } from './view.js';

/**
 * A file on the operator's machine that the inventory names at a path: that it can be read and is what it should be.
 * @param what for messages: `a PEM certificate`
 * @param mark what its text must contain
 */
export function checkFile(
  view: View,
  place: Place,
  path: Path,
  what: string,
  mark: RegExp,
): Mistake[] {
  const given = view.at(...path);
  if (typeof given !== 'string' || given === '') return [];
  const found = place.read(absolutePath(given, place));
  if ('problem' in found) {
    const message = `cannot read "${given}": ${found.problem}`;
    return [{ path, at: 'value', message, expected: `${what}, relative to the inventory` }];
  }
  if (mark.test(found.text)) return [];
  return [
    {
      path,
      at: 'value',
      message: `"${given}" is not ${what}`,
      expected: `${what}, relative to the inventory`,
    },
  ];
}
