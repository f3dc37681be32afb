import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { containPluginFailures } from '@bifrost/framework/plugins';
import { readCapture, readCaptureKey } from '@bifrost/framework/recordings';
import { formatReplay, replayCalls } from '@bifrost/testkit/plugins';
import { CommandFailure } from '../command-failure.ts';
import type { Command } from '../command.ts';
import { openCells } from '../plugin/open-cells.ts';
import { UsageError } from '../usage-error.ts';
import { configFlag } from './plugin-check.ts';

/** What the gateway calls the key beside its recordings. */
const keyName = 'recordings.key';

export const pluginReplay: Command = {
  name: 'plugin replay',
  summary: 'plays recorded hook calls to another build of a plugin, and prints what changes',
  positionals: [{ name: 'FILE', help: 'a recording that the gateway wrote (.bfcap)' }],
  flags: [
    { name: 'against', kind: 'text', value: 'PATH', help: 'the build of the plugin' },
    { name: 'key', kind: 'text', value: 'FILE', help: `the key of the recording; default: ${keyName} beside it` },
    configFlag,
    { name: 'isolation', kind: 'text', value: 'NAME', help: 'inline, worker or process; default: inline' },
    { name: 'limit', kind: 'number', value: 'N', help: 'changed calls to show; default: 20' },
    { name: 'json', kind: 'switch', help: 'print the report as JSON' },
  ],
  details: [
    "Each call gets the input that was recorded, in the order in which it was; the build's answer is compared with the recorded one. " +
      'What one call changes does not reach the next call, but the state that the build keeps for a request does. Of an answer by a ' +
      'stream it is compared only that there was one.',
    'Exit code 1 when anything changes. A recording has requests and answers of your users in it: it is encrypted, and what this ' +
      'prints is not.',
  ],
  examples: [
    {
      command: 'bifrost plugin replay guard-20261121T101500Z-1f.bfcap --against plugins/guard',
      says: 'what would the new version have done?',
    },
  ],
  async run(context, input) {
    const against = input.text('against');
    if (against === undefined)
      throw new UsageError('`bifrost plugin replay` needs --against PATH: the build to play it to');
    const file = resolve(context.directory, input.positionals[0] ?? '');
    if (!existsSync(file)) throw new UsageError(`there is no recording ${file}`);
    const keyFile = resolve(context.directory, input.text('key') ?? join(dirname(file), keyName));
    const capture = readCapture(file, readCaptureKey(keyFile));
    const { cells } = await openCells(context, input, against);
    const [cell] = cells;
    if (cell === undefined) throw new CommandFailure('the plugin cannot run here');
    const release = containPluginFailures();
    const plugin = await cell.load();
    const { calls, end } = capture;
    const report = await replayCalls(plugin, calls);
    await plugin.close();
    release();
    if (input.isSet('json')) context.print(JSON.stringify(report, null, 2));
    else for (const line of formatReplay(report, input.number('limit'))) context.print(line);
    if (end === undefined) context.complain('note: the recording has no end: the gateway ended while it recorded');
    else if (end.leftOut > 0) context.complain(`note: ${end.leftOut} calls did not fit into the recording`);
    if (calls.length === 0) throw new CommandFailure(`${file} has no calls in it`);
    return report.changed.length === 0 ? 0 : 1;
  },
};
