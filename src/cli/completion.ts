import type { Command, Option } from 'commander';
import { print } from '../ui/terminal.js';

/** `odoo-prov completion bash|zsh|fish`. */
export function completion(program: Command, shell: 'bash' | 'zsh' | 'fish'): void {
  print(completionScript(program, shell));
}

/** A completion script made of the command line's own model, so that it cannot fall behind. */
export function completionScript(program: Command, shell: 'bash' | 'zsh' | 'fish'): string {
  const commands = describe(program);
  switch (shell) {
    case 'bash':
      return bash(commands);
    case 'zsh':
      // zsh runs bash's completion; without the shim there would be a third dialect to keep right.
      return `autoload -U +X bashcompinit && bashcompinit\n${bash(commands)}`;
    case 'fish':
      return fish(commands);
  }
}

/** One command and what can follow it. */
interface Described {
  /** `` for the program itself, `lab up` for a sub-command. */
  readonly path: string;
  readonly children: readonly Command[];
  readonly options: readonly Option[];
  /** Fixed words that an argument can be. */
  readonly choices: readonly string[];
}

function describe(command: Command, path = ''): readonly Described[] {
  const help = command.createHelp();
  const own: Described = {
    path,
    children: help.visibleCommands(command),
    options: help.visibleOptions(command),
    choices: command.registeredArguments.flatMap((argument) => argument.argChoices ?? []),
  };
  const below = own.children.flatMap((child) =>
    describe(child, path === '' ? child.name() : `${path} ${child.name()}`),
  );
  return [own, ...below];
}

function optionWords(options: readonly Option[]): readonly string[] {
  return options.flatMap((option) => option.long ?? option.short ?? []);
}

function bash(commands: readonly Described[]): string {
  const cases = commands.map(({ path, children, options, choices }) => {
    const words = [...children.map((child) => child.name()), ...choices, ...optionWords(options)];
    return `    '${path}') words='${words.join(' ')}' ;;`;
  });
  const names = commands.map(({ path }) => `'${path}'`).filter((path) => path !== "''");
  return `# bash completion of odoo-prov: source <(odoo-prov completion bash)
_odoo_prov() {
  local current=\${COMP_WORDS[COMP_CWORD]} path='' try word words='' i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    try=\${path:+$path }$word
    case "$try" in
    ${names.join(' | ')}) path=$try ;;
    esac
  done
  case "$path" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  case "$current" in
  -*) ;;
  *) [ -z "$path" ] || COMPREPLY+=($(compgen -f -- "$current")) ;;
  esac
}
complete -o filenames -F _odoo_prov odoo-prov`;
}

function fish(commands: readonly Described[]): string {
  const lines = ['# fish completion of odoo-prov: odoo-prov completion fish | source'];
  for (const { path, children, options, choices } of commands) {
    const when = fishCondition(path, children);
    for (const child of children) {
      const about = fishText(child.description());
      lines.push(`complete -c odoo-prov -f -n ${when} -a ${child.name()} -d ${about}`);
    }
    for (const choice of choices) lines.push(`complete -c odoo-prov -n ${when} -a ${choice}`);
    for (const option of options) {
      if (option.long === undefined) continue;
      const value = option.required ? ' -r' : '';
      const about = fishText(option.description);
      lines.push(`complete -c odoo-prov -n ${when} -l ${option.long.slice(2)}${value} -d ${about}`);
    }
  }
  return lines.join('\n');
}

/** When a word of this command may follow. */
function fishCondition(path: string, children: readonly Command[]): string {
  if (path === '') return '__fish_use_subcommand';
  const seen = path.split(' ').map((word) => `__fish_seen_subcommand_from ${word}`);
  const names = children.map((child) => child.name()).join(' ');
  const deeper = names === '' ? [] : [`not __fish_seen_subcommand_from ${names}`];
  return `'${[...seen, ...deeper].join('; and ')}'`;
}

function fishText(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
