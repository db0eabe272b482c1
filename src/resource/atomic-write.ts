import { posix } from 'node:path';
import { base64, lines, quote, raw, type Script, type Secret, sh } from '../shell/index.js';

export interface FileToWrite {
  readonly path: string;
  readonly content: string | Secret;
  readonly owner: string;
  readonly group: string;
  readonly mode: string;
  readonly validate?: string;
  readonly backup?: boolean;
}

/**
 * Puts a file in place at once or not at all: hidden temporary file in the same folder with its final
 * owner and mode, validation, fsync, rename. What an earlier, killed attempt left is removed first.
 * If the content is right already only owner and mode are set, so that the modification time, by which
 * services are restarted, changes only with the content.
 */
export function writeAtomically(file: FileToWrite): Script {
  const owner = `${file.owner}:${file.group}`;
  return sh`(
${names(file.path)}
${refuseDirectory}
if [ ! -d "$folder" ]; then
  printf '%s\n' "the folder $folder does not exist" >&2
  exit 1
fi
temp="$left.$$"
rm -f -- "$left".*
trap 'rm -f -- "$temp"' EXIT
umask 077
printf '%s' '${base64(file.content)}' | base64 -d > "$temp"
if [ -f "$path" ] && [ ! -L "$path" ] && cmp -s -- "$temp" "$path"; then
  rm -f -- "$temp"
  chown -- ${owner} "$path"
  chmod -- ${file.mode} "$path"
  exit 0
fi
chown -- ${owner} "$temp"
chmod -- ${file.mode} "$temp"
${lines([validation(file.validate), raw('sync -- "$temp"'), ...(file.backup === true ? [keepOld] : [])])}
mv -fT -- "$temp" "$path"
sync -- "$folder"
)`;
}

/** Removes a file or symbolic link, and what a killed write of it left. */
export function removeFile(path: string): Script {
  return sh`(
${names(path)}
${refuseDirectory}
rm -f -- "$path" "$left".*
if [ -d "$folder" ]; then sync -- "$folder"; fi
)`;
}

function names(path: string): Script {
  const folder = posix.dirname(path);
  const left = posix.join(folder, `.${posix.basename(path)}.odoo-prov`);
  return sh`path=${path} folder=${folder} left=${left}`;
}

const refuseDirectory = raw(`if [ -d "$path" ] && [ ! -L "$path" ]; then
  printf '%s\\n' "$path is a directory and is not replaced: move it away and run again" >&2
  exit 1
fi`);

/** A hard link cannot be half-written; a copy is for file systems without links. */
const keepOld = raw(
  'if [ -f "$path" ] && [ ! -L "$path" ]; then ' +
    'ln -f -- "$path" "$path.~odoo-prov~" || cp -p -- "$path" "$path.~odoo-prov~"; fi',
);

function validation(command: string | undefined): Script {
  if (command === undefined) return raw(':');
  const filled = command.replaceAll('{}', '"$temp"');
  return sh`
if ! ( ${raw(filled)} ) </dev/null; then
  printf '%s\n' ${`the new content was refused by: ${command.replaceAll('{}', quote('FILE'))}`} >&2
  exit 1
fi`;
}
