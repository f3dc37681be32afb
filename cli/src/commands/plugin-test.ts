import { containPluginFailures } from '@bifrost/framework/plugins';
import { formatReport, testPlugin } from '@bifrost/testkit/plugins';
import type { Command } from '../command.ts';
import { openCells } from '../plugin/open-cells.ts';
import { configFlag, pathPositional } from './plugin-check.ts';

export const isolationFlag = {
  name: 'isolation',
  kind: 'text',
  value: 'NAMES',
  help: 'only these, apart by commas: inline, worker, process; default: all that the plugin can run in',
} as const;

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
    const [reloads, isJson] = [input.number('reloads'), input.isSet('json')];
    const { name, cells } = await openCells(context, input);
    const release = containPluginFailures();
    const report = await testPlugin({
      plugin: name,
      cells,
      ...(reloads === undefined ? {} : { reloads }),
    });
    release();
    for (const line of isJson ? [JSON.stringify(report, null, 2)] : formatReport(report)) context.print(line);
    return report.isPassed ? 0 : 1;
  },
};
