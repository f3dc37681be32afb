import { describe, expect, it } from 'vitest';
import { flagTable } from './flag-table.ts';
import type { FlagEntry } from './flag-table.ts';
import { formatHelp } from './help-text.ts';
import { parseFlags } from './parse-flags.ts';

const entries: readonly FlagEntry[] = flagTable;

function sampleOf(entry: FlagEntry): string {
  return entry.choices?.at(-1) ?? (entry.range === undefined ? 'some value' : String(entry.range[1]));
}

describe.each(entries.filter(({ placeholder }) => placeholder !== undefined))('-$name', (entry) => {
  const value = sampleOf(entry);
  const expected = { values: { [entry.name]: value } };

  it('is taken with one dash and two, apart and with =', () => {
    for (const args of [
      [`-${entry.name}`, value],
      [`--${entry.name}`, value],
      [`-${entry.name}=${value}`],
      [`--${entry.name}=${value}`],
    ]) {
      expect(parseFlags(args, {})).toEqual(expected);
    }
  });

  it('is taken from its variables, and the flag wins', () => {
    for (const variable of entry.variables) {
      expect(parseFlags([], { [variable]: value })).toEqual(expected);
      const other = entry.choices?.[0] ?? (entry.range === undefined ? 'other' : String(entry.range[0]));
      expect(parseFlags([`-${entry.name}`, value], { [variable]: other })).toEqual(expected);
    }
  });

  it('wants a value', () => {
    expect(parseFlags([`-${entry.name}`], {})).toEqual({ error: expect.stringContaining('expected a value') });
    expect(parseFlags([`-${entry.name}=`], {})).toEqual({ error: expect.stringMatching(/expected/) });
  });

  it('stands in the help', () => {
    expect(formatHelp()).toContain(`-${entry.name} ${entry.placeholder}`);
    for (const variable of entry.variables) expect(formatHelp()).toContain(variable);
  });
});

describe('what is not understood', () => {
  it.each([
    [['-prot', '1'], 'unknown flag -prot; did you mean -port?; see -help'],
    [['--log-levl=info'], 'unknown flag --log-levl; did you mean -log-level?; see -help'],
    [['-zzzzzz'], 'unknown flag -zzzzzz; see -help'],
    [['serve'], 'expected a flag such as -port 8080, got "serve"; see -help'],
    [['-port', 'http'], '-port: expected a whole number from 0 to 65535, got "http"'],
    [['-port', '65536'], '-port: expected a whole number from 0 to 65535, got "65536"'],
    [['-threads', '0'], '-threads: expected a whole number from 1 to 1024, got "0"'],
    [['-log-level', 'inf'], '-log-level: expected one of debug, info, warn, error, got "inf"; did you mean "info"?'],
    [['-version=2'], '-version takes no value'],
  ])('%j', (args, error) => {
    expect(parseFlags(args, {})).toEqual({ error });
  });

  it('names the variable that is wrong, unless a flag takes its place', () => {
    const environment = { APP_PORT: 'x' };
    expect(parseFlags([], environment)).toEqual({
      error: 'the environment variable APP_PORT: expected a whole number from 0 to 65535, got "x"',
    });
    expect(parseFlags(['-port', '1'], environment)).toEqual({ values: { port: '1' } });
    expect(parseFlags(['-help'], environment)).toEqual({ values: { help: 'true' } });
  });
});

it('prefers APP_HOST to BIFROST_HOST and takes an empty variable as none', () => {
  expect(parseFlags([], { APP_HOST: 'a', BIFROST_HOST: 'b' })).toEqual({ values: { host: 'a' } });
  expect(parseFlags([], { APP_HOST: '', BIFROST_HOST: 'b', LOG_LEVEL: '' })).toEqual({ values: { host: 'b' } });
});
