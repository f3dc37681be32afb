/** From the arguments of `test`, `bench` and `replay` to the isolations that the plugin is to run in. */
import { nearestWord } from '@bifrost/framework/suggestion';
import type { PluginCell } from '@bifrost/testkit/plugins';
import { CommandFailure } from '../command-failure.ts';
import type { CommandContext, CommandInput } from '../command.ts';
import { UsageError } from '../usage-error.ts';
import { resolveEntry } from './check-plugin.ts';
import { findEntry, withConfigHint } from './find-entry.ts';
import { cellsOf } from './plugin-cells.ts';

export interface OpenedCells {
  /** The entry's name. */
  readonly name: string;
  readonly cells: readonly PluginCell[];
}

function chosen(cells: readonly PluginCell[], stated: string): readonly PluginCell[] {
  const known = cells.map(({ isolation }) => isolation);
  return stated.split(',').map((given) => {
    const cell = cells.find(({ isolation }) => isolation === given.trim());
    if (cell !== undefined) return cell;
    const near = nearestWord(given, known);
    const hint = near === undefined ? `it can run in ${known.join(', ')}` : `did you mean ${near}?`;
    throw new UsageError(`the plugin cannot run in isolation "${given}" here: ${hint}`);
  });
}

/** Finds and checks the plugin at `path`; none of its code has run then. Rejects with PluginError, in the gateway's words. */
export async function openCells(
  context: CommandContext,
  input: CommandInput,
  path = input.positionals[0] ?? '',
): Promise<OpenedCells> {
  const { directory } = context;
  const config = input.text('config');
  const found = await findEntry(path, { directory, ...(config === undefined ? {} : { config }) });
  const { entry, directory: folder } = found;
  const artefact = await resolveEntry(entry, folder).catch((error: unknown) => {
    throw withConfigHint(error, found, config);
  });
  const cells = cellsOf({ entry, artefact, directory: folder });
  if (cells.length === 0) {
    throw new CommandFailure(
      'a gRPC plugin is a program of its own: start it with a gateway, this command cannot run it',
    );
  }
  const stated = input.text('isolation');
  return { name: entry.name, cells: stated === undefined ? cells : chosen(cells, stated) };
}
