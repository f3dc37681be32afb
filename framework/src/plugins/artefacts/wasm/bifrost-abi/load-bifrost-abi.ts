/** A plugin made of a guest of Bifrost's own WASM ABI, loaded as it is. */
import type {
  HookContext,
  HookName,
  HookOptionsData,
  HttpRequest,
  HttpResponse,
  LLMOutcome,
  LLMRequest,
  PluginContext,
  StreamChunk,
} from '@bifrost/sdk';
import type { ArtefactRequest } from '../../artefact-loader.ts';
import type { WasmBinary } from '../binary/read-wasm.ts';
import type { Guest } from '../guest.ts';
import type { HostScope } from '../host-scope.ts';
import { bifrostHooks, otherNames } from '../known-abis.ts';
import type { BifrostHook } from '../known-abis.ts';
import { BifrostExchange } from './bifrost-exchange.ts';
import { httpPostHook, httpPreHook, StreamChunkHook } from './http-envelopes.ts';
import { postHook, preHook } from './llm-envelopes.ts';

const hookOf = {
  http_pre_hook: 'httpTransportPreHook',
  http_post_hook: 'httpTransportPostHook',
  http_stream_chunk_hook: 'httpTransportStreamChunkHook',
  pre_hook: 'preLLMHook',
  post_hook: 'postLLMHook',
} as const satisfies Record<BifrostHook, HookName>;

/** Bifrost shows its hooks everything; a manifest can ask for less. */
const defaultOptions: { readonly [Name in BifrostHook]: HookOptionsData } = {
  http_pre_hook: { reads: 'body' },
  http_post_hook: { reads: 'body' },
  http_stream_chunk_hook: {},
  pre_hook: { reads: 'messages' },
  post_hook: { reads: 'messages' },
};

type Handler = (context: HookContext, input: never) => unknown;

function handlers(plugin: string, exchange: BifrostExchange): { readonly [Name in BifrostHook]: Handler } {
  const chunks = new StreamChunkHook(exchange);
  return {
    http_pre_hook: (context, request: HttpRequest) => httpPreHook(exchange, context, request),
    http_post_hook: (context, response: HttpResponse) => httpPostHook(plugin, exchange, context, response),
    http_stream_chunk_hook: (context, chunk: StreamChunk) => chunks.call(context, chunk),
    pre_hook: (context, request: LLMRequest) => preHook(plugin, exchange, context, request),
    post_hook: (context, outcome: LLMOutcome) => postHook(plugin, exchange, context, outcome),
  };
}

function inScope(scope: HostScope, handler: Handler): Handler {
  return (context, input) => {
    scope.hook = context;
    try {
      return handler(context, input);
    } finally {
      scope.hook = undefined;
    }
  };
}

/** Bifrost's names are free text ("Hello World WASM Plugin"); here they are of letters, digits, `.`, `_` and `-`. */
function pluginName(name: string): string | undefined {
  const safe = name
    .trim()
    .replaceAll(/[^\w.-]+/g, '-')
    .slice(0, 64);
  return safe === '' ? undefined : safe;
}

interface Parts {
  readonly guest: Guest;
  readonly scope: HostScope;
  readonly binary: WasmBinary;
}

/** Throws PluginError. Where a manifest states hooks, only those are called. */
export function loadBifrostAbi({ name, manifest }: ArtefactRequest, { guest, scope, binary }: Parts): object {
  const exported = new Set(binary.exports.map((entry) => entry.name));
  const nameOf = (own: 'malloc' | 'free'): string => {
    const other = otherNames[own];
    return other !== undefined && exported.has(other) ? other : own;
  };
  const exchange = new BifrostExchange(name, guest, { malloc: nameOf('malloc'), free: nameOf('free') });
  const actualName = pluginName(exchange.name());
  const plugin: Record<string, unknown> = { name: actualName, version: manifest?.version, guard: manifest?.guard };
  const all = handlers(name, exchange);
  for (const bifrostHook of bifrostHooks) {
    const hook = hookOf[bifrostHook];
    const stated = manifest?.hooks?.[hook];
    if (!exported.has(bifrostHook) || (manifest?.hooks !== undefined && stated === undefined)) continue;
    plugin[hook] = { ...defaultOptions[bifrostHook], ...stated, handler: inScope(scope, all[bifrostHook]) };
  }
  plugin['init'] = (context: PluginContext): void => {
    scope.base = context;
    const config = JSON.stringify(context.config ?? {});
    guest.start({
      begin: (live) => exchange.init(live, config),
      end: (live) => exchange.cleanup(live),
    });
  };
  plugin['cleanup'] = (): void => guest.stop();
  return plugin;
}
