import { describe, expect, it } from 'vitest';
import { commands } from './commands/index.ts';
import { Workshop } from './__tests__/workshop.ts';

describe('the help', () => {
  it.each([[], ['--help'], ['-h'], ['help']])('of the program begins with the first steps: %j', async (...args) => {
    using workshop = new Workshop();
    const { exitCode, out } = await workshop.run(...args);
    expect(exitCode).toBe(0);
    expect(out).toContain('bifrost plugin new hello');
  });

  it.each([['--help'], ['help']])('of `bifrost plugin %s` lists every command', async (word) => {
    using workshop = new Workshop();
    const { exitCode, out } = await workshop.run('plugin', word);
    expect(exitCode).toBe(0);
    for (const { name, summary } of commands) {
      expect(out).toContain(name);
      expect(out.replaceAll(/\s+/g, ' ')).toContain(summary);
    }
  });

  it('of a command is given by `bifrost plugin help COMMAND` too', async () => {
    using workshop = new Workshop();
    expect(await workshop.run('plugin', 'help', 'sign')).toEqual(await workshop.run('plugin', 'sign', '--help'));
  });

  it.each(commands.map(({ name }) => name))('of `bifrost %s` names every flag and has an example', async (name) => {
    using workshop = new Workshop();
    const command = commands.find((each) => each.name === name);
    const { exitCode, out } = await workshop.run(...name.split(' '), '-help');
    expect(exitCode).toBe(0);
    for (const flag of command?.flags ?? []) expect(out).toContain(`--${flag.name}`);
    expect(out).toContain('Examples:');
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThan(125);
  });
});

describe('what is called wrongly', () => {
  it.each([
    [['plugn'], 'did you mean `bifrost plugin`?'],
    [['test', 'hello'], 'did you mean `bifrost plugin test`?'],
    [['plugin', 'chekc', 'x'], 'did you mean `bifrost plugin check`?'],
    [['plugin', 'check', 'x', '--confg', '{}'], 'did you mean --config?'],
    [['plugin', 'check'], 'needs PATH'],
    [['plugin', 'check', 'a', 'b'], '"b" is too much'],
    [['plugin', 'check', 'x', '--config'], '--config needs a value'],
    [['plugin', 'test', 'x', '--reloads', 'many'], '--reloads takes a whole number, got "many"'],
    [['plugin', 'test', 'x', '--json=yes'], '--json takes no value'],
    [['plugin', 'new', 'x', '--template', 'pyhton'], 'there is no template "pyhton"'],
    [['plugin', 'new', 'x', '--template', 'typscript'], 'did you mean typescript?'],
    [['plugin', 'new', 'über'], "cannot be a plugin's name"],
    [['plugin', 'build', 'x', '--version', 'one'], 'takes a semantic version'],
    [['version'], 'did you mean `bifrost --version`?'],
    [['plugin', 'types', 'nope'], 'there is no folder'],
    [['plugin', 'keygen', 'keys/acme'], 'there is no folder'],
    [['plugin', 'replay', 'gone.bfcap', '--against', 'x'], 'there is no recording'],
  ])('%j: exit code 2 and what was meant', async (args, message) => {
    using workshop = new Workshop();
    const { exitCode, err } = await workshop.run(...args);
    expect(err).toContain(message);
    expect(exitCode).toBe(2);
  });

  it.each([
    ['ts', 'index.ts'],
    ['python', 'plugin.py'],
    ['golang', 'plugin.go'],
  ])('takes %s for the template whose language it is', async (name, file) => {
    using workshop = new Workshop();
    expect((await workshop.run('plugin', 'new', 'p', '--template', name)).out).toContain(file);
  });

  it('takes flags with one dash, two, and with an equals sign', async () => {
    using workshop = new Workshop();
    for (const [index, flag] of [
      ['-template', 'ts'],
      ['--template', 'ts'],
      ['--template=ts'],
      ['-template=ts'],
    ].entries()) {
      expect((await workshop.run('plugin', 'new', `p${index}`, ...flag)).exitCode).toBe(0);
    }
  });
});
