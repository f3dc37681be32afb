/** A manager over threads of this realm, with plugins that tell of themselves. */
import type { PluginChains, PluginRun } from '@bifrost/core';
import type { PluginLog } from '@bifrost/sdk';
import type { PluginHostOptions } from '../../plugin-host.ts';
import { PluginManager } from '../plugin-manager.ts';
import type { PluginManagerOptions } from '../plugin-manager-options.ts';
import { InProcessGroup } from './in-process-group.ts';

export const facts = { requestId: 'r', requestType: 'chat_completion', method: 'POST', path: '/', isStream: false };
export const trace = { facts, statusCode: 200, startedAt: 0, latencyMs: 1, attempts: [], lane: 'none' } as const;

export function open(chains: PluginChains | null | undefined): PluginRun | null {
  return chains?.open(facts, {}, new AbortController().signal) ?? null;
}

/** What the plugins of a thread make of the model, as one request sees it. */
export async function answer(chains: PluginChains | null | undefined): Promise<unknown> {
  const run = open(chains);
  const outcome = await run?.preRequest({ model: '', isStream: false, fallbacks: [] });
  run?.finish(trace);
  return outcome?.error?.code ?? outcome?.model;
}

/** A plugin that adds its tag to the model, and writes its life to a global list. */
export const tagging = (tag: string, more = ''): string => `
  const life = (globalThis.managedLife ??= []);
  export const init = () => void life.push('+${tag}');
  export const cleanup = () => void life.push('-${tag}');
  export const preRequestHook = (ctx, request) => ({ model: request.model + '${tag}' });
  ${more}`;

export const lifeOf = (): string[] => (globalThis as { managedLife?: string[] }).managedLife?.splice(0) ?? [];

export interface Setup {
  readonly manager: PluginManager;
  readonly group: InProcessGroup;
  readonly lines: string[];
}

export function setUp(
  folder: string,
  options: Partial<PluginManagerOptions> & {
    readonly threads?: number;
    readonly host?: Partial<PluginHostOptions>;
  } = {},
): Setup {
  const { threads = 2, host, ...rest } = options;
  const lines: string[] = [];
  const write = (level: string) => (message: string) => void lines.push(`${level} ${message}`);
  const log: PluginLog = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
  const group = new InProcessGroup(threads, folder, host);
  lifeOf();
  return { manager: new PluginManager({ group, log, directory: folder, ...rest }), group, lines };
}

export const answers = ({ group }: Setup): Promise<unknown[]> => Promise.all(group.chains.map(answer));
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
