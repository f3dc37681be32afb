import { GatewayError } from '@bifrost/sdk';
import { containPluginFailures } from '@bifrost/framework/plugins';
import { formatReport, testPlugin } from '@bifrost/testkit/plugins';
import { nearestWord } from '@bifrost/framework/suggestion';
import type { PluginCell } from '@bifrost/testkit/plugins';
import type { Command } from '../command.ts';
import { resolveEntry } from '../plugin/check-plugin.ts';
import { findEntry } from '../plugin/find-entry.ts';
import { cellsOf } from '../plugin/plugin-cells.ts';
import { UsageError } from '../usage-error.ts';
import { configFlag, pathPositional } from './plugin-check.ts';

export const isolationFlag = {
  name: 'isolation',
  kind: 'text',
  value: 'NAMES',
  help: 'only these, apart by commas: inline, worker, process; default: all that the plugin can run in',
} as const;

/** The cells that `--isolation` names. Throws UsageError. */
export function chosenCells(cells: readonly PluginCell[], stated: string | undefined): readonly PluginCell[] {
  if (stated === undefined) return cells;
  const known = cells.map(({ isolation }) => isolation);
  return stated.split(',').map((given) => {
    const cell = cells.find(({ isolation }) => isolation === given.trim());
    if (cell !== undefined) return cell;
    const near = nearestWord(given, known);
    const hint = near === undefined ? `it can run in ${known.join(', ')}` : `did you mean ${near}?`;
    throw new UsageError(`the plugin cannot run in isolation "${given}" here: ${hint}`);
  });
}

export const pluginTest: Command = {
  name: 'plugin test',
  summary: 'runs every hook of a plugin as a gateway does, and says what is wrong',
  positionals: [pathPositional],
  flags: [
    configFlag,
    isolationFlag,
    { name: 'json', kind: 'switch', help: 'print the report as JSON' },
    { name: 'reloads', kind: 'number', value: 'N', help: 'reloads in each isolation; default: 5' },
  ],
  details: [
    'Loads the plugin in each isolation that it can run in, and takes it through whole answers, streams, tools, fallbacks, refusals, ' +
      'empty answers, embeddings, a client that goes away, and calls of MCP servers. A hook fails here where a gateway would count a ' +
      'failure: it throws, takes longer than its deadline, or returns what cannot be used. Inputs are frozen, so changing one in ' +
      'place fails too.',
    'Then: several requests at once must not see each other, cleanup must end, reloads must leave nothing behind, and every isolation ' +
      'must give the same answers. Hooks whose filters match none of these requests get one that fits.',
    'No provider is called, and no gateway has to run. What the plugin itself does in init and in its hooks, it does here too.',
  ],
  examples: [
    { command: 'bifrost plugin test hello', says: 'with the configuration of hello/config.json' },
    { command: 'bifrost plugin test hello --isolation process --json', says: 'one isolation, for a script' },
  ],
  async run(context, input) {
    const { directory } = context;
    const config = input.text('config');
    const [reloads, isJson] = [input.number('reloads'), input.isSet('json')];
    const found = await findEntry(input.positionals[0] ?? '', {
      directory,
      ...(config === undefined ? {} : { config }),
    });
    let cells: readonly PluginCell[];
    try {
      const artefact = await resolveEntry(found.entry, found.directory);
      cells = chosenCells(
        cellsOf({ entry: found.entry, artefact, directory: found.directory }),
        input.text('isolation'),
      );
    } catch (error) {
      if (!GatewayError.isInstance(error)) throw error;
      context.complain(error.message);
      return 1;
    }
    const release = containPluginFailures();
    const report = await testPlugin({
      plugin: found.entry.name,
      cells,
      ...(reloads === undefined ? {} : { reloads }),
    });
    release();
    for (const line of isJson ? [JSON.stringify(report, null, 2)] : formatReport(report)) context.print(line);
    return report.isPassed ? 0 : 1;
  },
};
