/** Flags and positionals of one command. One dash or two, `--flag value` or `--flag=value`, `--` ends the flags. */
import { nearestWord } from '@bifrost/framework/suggestion';
import type { Command, CommandInput, FlagSpec } from './command.ts';
import { UsageError } from './usage-error.ts';

/** Asks for help wherever it stands. */
export function isHelpFlag(argument: string): boolean {
  return /^--?(?:h|help)$/.test(argument);
}

function unknownFlag(given: string, command: Command): UsageError {
  const names = command.flags.map(({ name }) => name);
  const near = nearestWord(given, names);
  const list = names.length === 0 ? 'it has none' : `it has ${names.map((name) => `--${name}`).join(', ')}`;
  const hint = near === undefined ? list : `did you mean --${near}?`;
  return new UsageError(`\`bifrost ${command.name}\` has no flag --${given}: ${hint}`);
}

function valueOf(flag: FlagSpec, stated: string | undefined, rest: string[]): string {
  const value = stated ?? rest.shift();
  if (value === undefined)
    throw new UsageError(`--${flag.name} needs a value: --${flag.name} ${flag.value ?? 'VALUE'}`);
  if (flag.kind === 'number' && !/^\d+$/.test(value)) {
    throw new UsageError(`--${flag.name} takes a whole number, got "${value}"`);
  }
  return value;
}

function checkPositionals(command: Command, positionals: readonly string[]): void {
  const needed = command.positionals.filter(({ isOptional }) => isOptional !== true);
  const missing = needed[positionals.length];
  if (missing !== undefined) {
    throw new UsageError(`\`bifrost ${command.name}\` needs ${missing.name}: ${missing.help}`);
  }
  const extra = positionals[command.positionals.length];
  if (extra === undefined) return;
  const takes = command.positionals.map(({ name }) => name).join(' ') || 'nothing';
  throw new UsageError(`\`bifrost ${command.name}\` takes ${takes}; "${extra}" is too much`);
}

/** Throws UsageError that says what is wrong and what was meant. */
export function parseArguments(command: Command, args: readonly string[]): CommandInput {
  const values = new Map<string, string[]>();
  const positionals: string[] = [];
  const rest = [...args];
  for (let argument = rest.shift(); argument !== undefined; argument = rest.shift()) {
    if (argument === '--') {
      positionals.push(...rest.splice(0));
      break;
    }
    const match = /^--?([A-Za-z][\w-]*)(?:=([\s\S]*))?$/.exec(argument);
    if (match === null) {
      positionals.push(argument);
      continue;
    }
    const [, given = '', stated] = match;
    const flag = command.flags.find(({ name }) => name === given);
    if (flag === undefined) throw unknownFlag(given, command);
    if (flag.kind === 'switch' && stated !== undefined) throw new UsageError(`--${flag.name} takes no value`);
    const value = flag.kind === 'switch' ? 'true' : valueOf(flag, stated, rest);
    const earlier = values.get(flag.name);
    if (earlier !== undefined && flag.kind !== 'list') throw new UsageError(`--${flag.name} is given twice`);
    values.set(flag.name, [...(earlier ?? []), value]);
  }
  checkPositionals(command, positionals);
  return {
    positionals,
    text: (flag) => values.get(flag)?.[0],
    number: (flag) => (values.has(flag) ? Number(values.get(flag)?.[0]) : undefined),
    list: (flag) => values.get(flag) ?? [],
    isSet: (flag) => values.has(flag),
  };
}
