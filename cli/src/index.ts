export type { Command, CommandContext, CommandInput } from './command.ts';
export { exitCodes, runCli } from './run-cli.ts';
