import { didYouMean } from '@bifrost/framework/suggestion';
import { flagTable } from './flag-table.ts';
import type { Environment, FlagEntry, FlagName, FlagValues } from './flag-table.ts';

export type FlagResult = { readonly values: FlagValues } | { readonly error: string };

const entries: readonly FlagEntry[] = flagTable;
const names = entries.map(({ name }) => name);
const shorthands: Readonly<Record<string, string>> = { h: 'help', v: 'version', c: 'config', p: 'port' };

/** Why a value cannot be taken, or undefined. `origin` is the flag or variable that gave it. */
function explainValue(entry: FlagEntry, value: string, origin: string): string | undefined {
  if (entry.choices !== undefined && !entry.choices.includes(value)) {
    return `${origin}: expected one of ${entry.choices.join(', ')}, got "${value}"${didYouMean(value, entry.choices)}`;
  }
  if (entry.range !== undefined) {
    const [minimum, maximum] = entry.range;
    const isWhole = /^\d{1,9}$/.test(value);
    if (!isWhole || Number(value) < minimum || Number(value) > maximum) {
      return `${origin}: expected a whole number from ${minimum} to ${maximum}, got "${value}"`;
    }
  }
  return value === '' ? `${origin}: expected a value, got an empty one` : undefined;
}

function fromEnvironment(environment: Environment): FlagResult {
  const values: Record<string, string> = {};
  for (const entry of entries) {
    const variable = entry.variables.find((name) => (environment[name] ?? '') !== '');
    if (variable === undefined) continue;
    const value = environment[variable] ?? '';
    const error = explainValue(entry, value, `the environment variable ${variable}`);
    if (error !== undefined) return { error };
    values[entry.name] = value;
  }
  return { values };
}

/**
 * Reads the command line: `-name value`, `--name value`, `-name=value`. Flags win over the environment; what neither gives is
 * absent from the result.
 */
export function parseFlags(args: readonly string[], environment: Environment): FlagResult {
  const base = fromEnvironment(environment);
  const given: Record<string, string> = {};
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] ?? '';
    const match = /^--?([A-Za-z][\w-]*)(?:=([\s\S]*))?$/.exec(arg);
    if (match === null) return { error: `expected a flag such as -port 8080, got "${arg}"; see -help` };
    const name = shorthands[match[1] ?? ''] ?? match[1] ?? '';
    const entry = entries.find((candidate) => candidate.name === name);
    if (entry === undefined) return { error: `unknown flag ${arg.split('=')[0]}${suggestFlag(name)}; see -help` };
    if (entry.placeholder === undefined) {
      if (match[2] !== undefined && match[2] !== 'true') return { error: `-${name} takes no value` };
      given[name] = 'true';
      continue;
    }
    const value = match[2] ?? args[++index];
    if (value === undefined)
      return { error: `-${name}: expected a value (${entry.placeholder}: ${entry.description})` };
    const error = explainValue(entry, value, `-${name}`);
    if (error !== undefined) return { error };
    given[name] = value;
  }
  // A wrong variable does not matter where the flag is given, nor for a question about the program.
  const isQuestion = 'help' in given || 'version' in given;
  if ('error' in base) {
    const blamed = entries.find(({ variables }) =>
      variables.some((variable) => base.error.includes(`variable ${variable}:`)),
    );
    if (!isQuestion && (blamed === undefined || !(blamed.name in given))) return base;
    return { values: given as FlagValues };
  }
  return { values: { ...base.values, ...given } as Partial<Record<FlagName, string>> };
}

function suggestFlag(name: string): string {
  return didYouMean(name, names)
    .replace(/"(.+)"/, '-$1')
    .replace(/\?$/, '?');
}
