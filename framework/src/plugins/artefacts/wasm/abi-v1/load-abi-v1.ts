/** Asks a guest of `bifrost-plugin/1` to describe itself, and makes the plugin whose hooks are calls into it. */
import { isJsonObject } from '@bifrost/sdk';
import type { HookContext, HookName, JsonObject, PluginContext, StreamChunk } from '@bifrost/sdk';
import type { ArtefactRequest } from '../../artefact-loader.ts';
import { decodeHookResult } from '../../json-abi/decode-hook-result.ts';
import { CallEncoder } from '../../json-abi/encode-hook-call.ts';
import { pluginOf, readDescription } from '../../json-abi/plugin-description.ts';
import type { PluginCalls, StatedPlugin } from '../../json-abi/plugin-description.ts';
import type { Guest } from '../guest.ts';
import type { HostScope } from '../host-scope.ts';
import { wasmError } from '../wasm-error.ts';
import { Exchange } from './exchange.ts';
import type { Answer } from './exchange.ts';

const attached = { $bytes: 0 };

class GuestCalls implements PluginCalls {
  readonly #guest: Guest;
  readonly #exchange: Exchange;
  readonly #scope: HostScope;
  readonly #encoder = new CallEncoder();

  constructor(guest: Guest, exchange: Exchange, scope: HostScope) {
    this.#guest = guest;
    this.#exchange = exchange;
    this.#scope = scope;
  }

  create(context: PluginContext<unknown>): void {
    this.#scope.base = context;
    const json = JSON.stringify({ name: context.name, config: context.config });
    this.#guest.start({
      begin: (live) => void this.#exchange.callLive(live, 'init', json),
      end: (live) => void this.#exchange.callLive(live, 'cleanup', 'null'),
    });
  }

  call(hook: HookName, context: HookContext, input: object): unknown {
    this.#scope.hook = context;
    try {
      // The chain gives this hook chunks alone.
      if (hook === 'httpTransportStreamChunkHook') return this.#chunk(context, input as StreamChunk);
      const { text, attachments } = this.#encoder.encode(context, input);
      const answer = this.#exchange.call(hook, text, attachments);
      return answer === undefined ? undefined : this.#decode(hook, answer);
    } finally {
      this.#scope.hook = undefined;
    }
  }

  destroy(): void {
    this.#guest.stop();
  }

  /** A chunk's text goes beside the JSON, so that neither side has to escape it. */
  #chunk(context: HookContext, chunk: StreamChunk): unknown {
    const hook = 'httpTransportStreamChunkHook';
    const { text } = this.#encoder.encode(context, { ...chunk, data: attached });
    const answer = this.#exchange.call(hook, text, [chunk.data]);
    if (answer === undefined) return undefined;
    const result = this.#decode(hook, answer);
    if (!isJsonObject(result) || !isJsonObject(result['data'])) return result;
    const index = result['data']['$bytes'];
    const bytes = typeof index === 'number' ? answer.attachments[index] : undefined;
    return bytes === undefined ? result : { ...result, data: Buffer.from(bytes.buffer).toString('utf8') };
  }

  #decode(hook: HookName, { text, attachments }: Answer): unknown {
    try {
      return decodeHookResult(text, attachments);
    } catch (thrown) {
      throw this.#exchange.garbled(hook, thrown);
    }
  }
}

/** What the guest says of itself as JSON text; what the manifest says where the guest says nothing. */
function describedText({ name: plugin, manifest }: ArtefactRequest, described: string | undefined): string {
  if (described !== undefined) return described;
  if (manifest?.hooks === undefined) {
    throw wasmError(
      plugin,
      'BF_PLUGIN_WASM_OUTPUT',
      'describe: it answered nothing, and no manifest states its hooks: one of both must',
    );
  }
  const { name, version, api, hooks } = manifest;
  return JSON.stringify({ name, version, api, hooks });
}

/** The two members beside those of every description; they are not hooks, and artefacts of other kinds do not have them. */
const configViews = ['marshalConfigForStorage', 'redactConfig'] as const;
type ConfigView = (typeof configViews)[number];

function readStated(
  request: ArtefactRequest,
  described: string | undefined,
): { readonly stated: StatedPlugin; readonly views: readonly ConfigView[] } {
  const { name, manifest } = request;
  const text = describedText(request, described);
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    // It is read once more just below, and its fault is named there.
  }
  if (!isJsonObject(given)) return { stated: readDescription(name, text, manifest), views: [] };
  const { marshalConfigForStorage, redactConfig, ...rest } = given;
  const asked = { marshalConfigForStorage, redactConfig };
  return {
    stated: readDescription(name, JSON.stringify(rest), manifest),
    views: configViews.filter((view) => asked[view] === true),
  };
}

/** Throws PluginError. */
export function loadAbi1(request: ArtefactRequest, guest: Guest, scope: HostScope): object {
  const exchange = new Exchange(request.name, guest);
  const { stated, views } = readStated(request, exchange.call('describe', 'null')?.text);
  const view = (operation: ConfigView) => (config: JsonObject) => {
    const answer = exchange.call(operation, JSON.stringify(config));
    if (answer === undefined) return config;
    try {
      return decodeHookResult(answer.text, answer.attachments);
    } catch (thrown) {
      throw exchange.garbled(operation, thrown);
    }
  };
  return {
    ...pluginOf(stated, new GuestCalls(guest, exchange, scope)),
    ...Object.fromEntries(views.map((operation) => [operation, view(operation)])),
  };
}
