/** Plugins in real threads and processes, written to a temporary folder, called through real chains. */
import { join } from 'node:path';
import { createPluginChains } from '@bifrost/core';
import type { PluginChainSet, PluginRun } from '@bifrost/core';
import type { PluginLog, RequestFacts } from '@bifrost/sdk';
import { pluginFolder } from '../../__tests__/plugin-folder.ts';
import type { LoadOptions } from '../../load-plugin.ts';
import type { PluginEntry } from '../../plugin-entry.ts';
import { connectRemote } from '../connect-remote.ts';
import { facts } from './remote-values.ts';
import type { RemoteExit, RemotePlugin } from '../remote-plugin.ts';
import { startProcessPlugin } from '../supervisor/start-process-plugin.ts';
import type { ProcessPluginOptions } from '../supervisor/start-process-plugin.ts';
import { startWorkerPlugin } from '../supervisor/start-worker-plugin.ts';

export type Isolation = 'worker' | 'process' | 'process over tunnels';
export const isolations: readonly Isolation[] = ['worker', 'process', 'process over tunnels'];

export { facts, request, trace } from './remote-values.ts';

export interface RemoteFixture extends AsyncDisposable {
  readonly plugin: RemotePlugin;
  readonly chains: PluginChainSet;
  /** `level message` of every line, of the plugin and of the chains. */
  readonly lines: string[];
  readonly escapes: string[];
  readonly file: string;
  open(overrides?: Partial<RequestFacts>, signal?: AbortSignal): PluginRun;
  /** Another serving thread's chains. */
  connect(): Promise<PluginChainSet>;
  exit(): Promise<RemoteExit>;
  close(): Promise<void>;
}

export interface FixtureOptions {
  readonly entry?: Partial<PluginEntry>;
  readonly start?: Partial<ProcessPluginOptions>;
  /** Further files beside the plugin. */
  readonly files?: Readonly<Record<string, string>>;
  readonly fileName?: string;
}

function loggerOf(lines: string[]): PluginLog {
  const write = (level: string) => (message: string) => void lines.push(`${level} ${message}`);
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}

export function startPlugin(isolation: Isolation, options: ProcessPluginOptions): Promise<RemotePlugin> {
  if (isolation === 'worker') return startWorkerPlugin(options);
  return startProcessPlugin(isolation === 'process' ? options : { ...options, posixCalls: null });
}

/** Starts the plugin in `source`. Rejects as its load does. */
export async function remotePlugin(
  isolation: Isolation,
  source: string,
  { entry, start, files, fileName = 'plugin.mjs' }: FixtureOptions = {},
): Promise<RemoteFixture> {
  const folder = pluginFolder({ [fileName]: source, ...files });
  const file = join(folder.path, fileName);
  const lines: string[] = [];
  const escapes: string[] = [];
  const logger = loggerOf(lines);
  const whole: PluginEntry = { name: 'p', path: file, enabled: true, ...entry };
  const plugin = await startPlugin(isolation, {
    entry: whole,
    artefact: { file, kind: 'module' },
    generation: '1',
    logger,
    areInputsFrozen: true,
    onEscape: (message) => escapes.push(message),
    ...start,
  }).catch((error: unknown) => {
    folder[Symbol.dispose]();
    throw error;
  });
  const exits = Promise.withResolvers<RemoteExit>();
  plugin.onExit(exits.resolve);
  const disconnects: (() => Promise<void>)[] = [];
  const connect = async (): Promise<PluginChainSet> => {
    const channel = await plugin.openChannel();
    const events = { onDisabled: () => undefined, onEscape: () => undefined };
    const { description } = plugin;
    const loaded = await connectRemote(
      { entry: whole, load: 1, description, channel },
      { logger } as LoadOptions,
      events,
    );
    disconnects.push(() => loaded.cleanup());
    return createPluginChains([loaded.instance]);
  };
  const chains = await connect();
  const close = async (): Promise<void> => {
    for (const disconnect of disconnects) await disconnect();
    await plugin.close();
    folder[Symbol.dispose]();
  };
  return {
    plugin,
    chains,
    lines,
    escapes,
    file,
    connect,
    close,
    exit: () => exits.promise,
    open(overrides = {}, signal = new AbortController().signal) {
      const run = chains.open({ ...facts, ...overrides }, {}, signal);
      if (run === null) throw new Error('no hook matches');
      return run;
    },
    [Symbol.asyncDispose]: close,
  };
}
