/** The help pages: of the program, of a group of commands, of one command. */
import type { Command } from './command.ts';

const width = 88;

function wrap(text: string, indent: string): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && indent.length + line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].map((each) => `${indent}${each}`).join('\n');
}

/** Two columns; the right one is wrapped. */
function columns(rows: readonly (readonly [left: string, right: string])[]): string {
  const longest = Math.min(30, Math.max(...rows.map(([left]) => left.length)));
  const indent = ' '.repeat(longest + 4);
  return rows
    .map(([left, right]) => {
      const wrapped = wrap(right, indent);
      return left.length > longest ? `  ${left}\n${wrapped}` : `  ${left.padEnd(longest)}  ${wrapped.trimStart()}`;
    })
    .join('\n');
}

function usageOf({ name, positionals, flags }: Command): string {
  const places = positionals.map((each) => (each.isOptional === true ? `[${each.name}]` : each.name));
  return ['bifrost', name, ...places, ...(flags.length > 0 ? ['[flags]'] : [])].join(' ');
}

/** The page of one command. */
export function helpOfCommand(command: Command): string {
  const { positionals, flags, details, examples } = command;
  const rows = positionals.map(({ name, help }): readonly [string, string] => [name, help]);
  const flagRows = flags.map(({ name, value, kind, help }): readonly [string, string] => [
    kind === 'switch' ? `--${name}` : `--${name} ${value ?? 'VALUE'}`,
    help,
  ]);
  return [
    `bifrost ${command.name}: ${command.summary}`,
    `Usage: ${usageOf(command)}`,
    ...(rows.length > 0 ? [columns(rows)] : []),
    ...(flagRows.length > 0 ? [`Flags (one dash or two):\n${columns(flagRows)}`] : []),
    ...details.map((paragraph) => wrap(paragraph, '')),
    ...(examples.length > 0
      ? [`Examples:\n${examples.map(({ command: line, says }) => `  ${line}\n      ${says}`).join('\n')}`]
      : []),
  ].join('\n\n');
}

/** A page that lists commands. */
export function helpOfGroup(options: {
  readonly title: string;
  readonly usage: string;
  readonly commands: readonly Command[];
  readonly closing: readonly string[];
}): string {
  const { title, usage, commands, closing } = options;
  const rows = commands.map(({ name, summary }): readonly [string, string] => [name, summary]);
  return [title, `Usage: ${usage}`, `Commands:\n${columns(rows)}`, ...closing].join('\n\n');
}
