import { InvalidArgumentError, Option, type Command } from 'commander';

/** The options that choose hosts of the inventory. */
export function withHosts(command: Command): Command {
  return command
    .option(
      '--limit <hosts>',
      'only these: names or globs, comma between, !name is taken out',
      list,
    )
    .option('--role <roles>', 'only hosts with one of these roles, comma between', list);
}

/** The options that give sudo's password. */
export function withBecome(command: Command): Command {
  return command
    .addOption(
      new Option('--ask-become-pass', "ask for sudo's password").conflicts('becomePasswordFile'),
    )
    .option('--become-password-file <file>', "file whose first line is sudo's password");
}

/** Words with comma between; the option given again adds to them. @throws InvalidArgumentError for an empty one */
export function list(value: string, before: readonly string[] | undefined): readonly string[] {
  const words = value.split(',').map((word) => word.trim());
  if (words.includes('')) throw new InvalidArgumentError('There is an empty name in it.');
  return [...(before ?? []), ...words];
}

/** A command's options that take one value are refused when they are given again: Commander would keep the last one, and say nothing. */
export function refuseTwice(command: Command): void {
  const single = command.options.filter(
    ({ required, optional, parseArg }) => (required || optional) && parseArg !== list,
  );
  for (const option of single) {
    let given = false;
    command.on(`option:${option.name()}`, () => {
      if (given)
        command.error(`error: option '${option.flags}' was given twice. It takes one value.`);
      given = true;
    });
  }
}

/** The seconds of --watch; a file that follows it is taken for them. @throws InvalidArgumentError */
export function pause(value: string): number {
  if (/^[1-9]\d{0,5}$/.test(value)) return Number(value);
  throw new InvalidArgumentError('Whole seconds from 1; the inventory goes before --watch.');
}

/** A whole number from 1. @throws InvalidArgumentError */
export function wholeNumber(value: string): number {
  if (!/^[1-9]\d{0,5}$/.test(value)) throw new InvalidArgumentError('A whole number from 1.');
  return Number(value);
}
