import { readFileSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import { Failure } from '../failure/failure.js';
import { parseInventory, type Inventory } from './parse.js';

function reasonOf(error: unknown): string {
  if (!(error instanceof Error) || !('code' in error)) throw error;
  switch (error.code) {
    case 'ENOENT':
      return 'there is no such file';
    case 'EACCES':
      return 'you may not read it';
    case 'EISDIR':
      return 'it is a folder';
    default:
      return error.message;
  }
}

/**
 * Reads and checks an inventory file.
 *
 * @param path as the user gave it, relative to the working folder
 * @throws Failure (usage) if the file cannot be read; mistakes in it are a result, not an exception
 */
export function readInventory(path: string): Inventory {
  let file: string;
  let text: string;
  try {
    // Secrets and state lie beside the file itself, by whatever link it is reached.
    file = realpathSync(resolve(path));
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new Failure({
      reason: 'usage',
      message: `cannot read the inventory ${path}: ${reasonOf(error)}`,
      remedy: 'give the path of an inventory; the commented examples in inventory/ are a start',
      cause: error,
    });
  }
  return parseInventory(text, path, {
    file,
    home: homedir(),
    read: (given) => {
      try {
        return { text: readFileSync(given, 'utf8') };
      } catch (error) {
        return { problem: reasonOf(error) };
      }
    },
  });
}
