/** A program that starts a plugin in a process, says its pid, and waits to be killed. Arguments: the plugin's file, the model to ask for. */
import type { LoadOptions } from '../../load-plugin.ts';
import { connectRemote } from '../connect-remote.ts';
import { startProcessPlugin } from '../supervisor/start-process-plugin.ts';
import { createPluginChains } from '@bifrost/core';
import { facts, request } from './remote-values.ts';

const [, , file = '', model = ''] = process.argv;
const write = (message: string): void => void process.stdout.write(`${message}\n`);
const logger = { debug: write, info: write, warn: write, error: write };
const entry = { name: 'p', path: file, enabled: true };
const plugin = await startProcessPlugin({ entry, artefact: { file, kind: 'module' }, generation: '1', logger });
const channel = await plugin.openChannel();
const loaded = await connectRemote(
  { entry, load: 1, description: plugin.description, channel },
  { logger } as unknown as LoadOptions,
  { onDisabled: () => undefined, onEscape: () => undefined },
);
const run = createPluginChains([loaded.instance]).open(facts, {}, new AbortController().signal);
write('asking');
await run?.preRequest({ ...request, model });
