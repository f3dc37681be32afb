/** The command line as a function: arguments in, exit code out. Nothing here touches the process. */
import { GatewayError } from '@bifrost/sdk';
import { readBuildStamp } from '@bifrost/framework/realms';
import { nearestWord } from '@bifrost/framework/suggestion';
import type { Command, CommandContext } from './command.ts';
import { commands } from './commands/index.ts';
import { helpOfCommand, helpOfGroup } from './help-text.ts';
import { isHelpFlag, parseArguments } from './parse-arguments.ts';
import { UsageError } from './usage-error.ts';

/** 0: done. 1: something was found wrong, or failed. 2: the command was called wrongly. */
export const exitCodes = { done: 0, failed: 1, misused: 2 } as const;

const firstSteps = [
  'First steps, in any folder:',
  '  bifrost plugin new hello        writes a plugin, its manifest and a config.json into ./hello',
  '  bifrost plugin test hello       runs every hook of it: answers, streams, fallbacks, reloads',
  '  bifrost-http -config hello/config.json  starts the gateway with it',
].join('\n');

function programHelp(): string {
  return helpOfGroup({
    title: 'bifrost: the workshop for plugins of the Bifrost gateway. The gateway itself is `bifrost-http`.',
    usage: 'bifrost COMMAND [flags]',
    commands,
    closing: [firstSteps, 'More about a command: bifrost COMMAND --help'],
  });
}

function groupHelp(): string {
  return helpOfGroup({
    title: 'bifrost plugin: makes, examines, tests, measures, signs and replays plugins. No gateway has to run.',
    usage: 'bifrost plugin COMMAND [flags]',
    commands,
    closing: [
      firstSteps,
      'Exit codes: 0 all is well, 1 something is wrong with the plugin, 2 the command was called wrongly.',
      'More about a command: bifrost plugin COMMAND --help',
    ],
  });
}

function unknownCommand(group: 'plugin' | undefined, given: string): UsageError {
  const known = group === 'plugin' ? commands.map(({ name }) => name.replace(/^plugin /, '')) : ['plugin', 'help'];
  const direct = commands.find(({ name }) => name === `plugin ${given}`);
  const near = nearestWord(given, known);
  const prefix = group === undefined ? 'bifrost' : `bifrost ${group}`;
  const hint =
    group === undefined && direct !== undefined
      ? `did you mean \`bifrost ${direct.name}\`?`
      : near === undefined
        ? `there are ${known.join(', ')}`
        : `did you mean \`${prefix} ${near}\`?`;
  return new UsageError(`there is no command \`${prefix} ${given}\`: ${hint}`);
}

/** `help plugin new` and `plugin help new` are `plugin new --help`. */
function withHelpFlag(args: readonly string[]): readonly string[] {
  const at = args[0] === 'help' ? 0 : args[1] === 'help' && args[0]?.startsWith('plugin') === true ? 1 : -1;
  return at === -1 ? args : [...args.slice(0, at), ...args.slice(at + 1), '--help'];
}

async function dispatch(args: readonly string[], context: CommandContext): Promise<number> {
  const [first, second, ...rest] = withHelpFlag(args);
  if (first === undefined || isHelpFlag(first)) {
    context.print(programHelp());
    return exitCodes.done;
  }
  if (/^--?(?:v|version)$/.test(first)) {
    context.print(`bifrost ${readBuildStamp()?.version ?? '0.1.0'}`);
    return exitCodes.done;
  }
  if (first === 'version')
    throw new UsageError('there is no command `bifrost version`: did you mean `bifrost --version`?');
  if (first !== 'plugin' && first !== 'plugins') throw unknownCommand(undefined, first);
  if (second === undefined || isHelpFlag(second)) {
    context.print(groupHelp());
    return exitCodes.done;
  }
  const command: Command | undefined = commands.find(({ name }) => name === `plugin ${second}`);
  if (command === undefined) throw unknownCommand('plugin', second);
  if (rest.some(isHelpFlag)) {
    context.print(helpOfCommand(command));
    return exitCodes.done;
  }
  return command.run(context, parseArguments(command, rest));
}

/** Runs what `args` say. Never rejects: what goes wrong is a line on standard error and an exit code. */
export async function runCli(args: readonly string[], context: CommandContext): Promise<number> {
  try {
    return await dispatch(args, context);
  } catch (error) {
    if (error instanceof UsageError) {
      context.complain(error.message);
      return exitCodes.misused;
    }
    const code = GatewayError.isInstance(error) ? ` (${error.code})` : '';
    context.complain(`${error instanceof Error ? error.message : String(error)}${code}`);
    return exitCodes.failed;
  }
}
