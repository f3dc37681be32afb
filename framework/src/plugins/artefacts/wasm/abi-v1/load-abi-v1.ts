/** Asks a guest of `bifrost-plugin/1` to describe itself, and makes the plugin whose hooks are calls into it. */
import type { HookContext, HookName, JsonObject, PluginContext } from '@bifrost/sdk';
import type { ArtefactRequest } from '../../artefact-loader.ts';
import { decodeHookResult } from '../../json-abi/decode-hook-result.ts';
import { CallEncoder } from '../../json-abi/encode-hook-call.ts';
import { pluginOf, readDescription } from '../../json-abi/plugin-description.ts';
import type { ConfigView, PluginCalls } from '../../json-abi/plugin-description.ts';
import type { Guest } from '../guest.ts';
import type { HostScope } from '../host-scope.ts';
import { wasmError } from '../wasm-error.ts';
import { Exchange } from './exchange.ts';
import type { Answer } from './exchange.ts';

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
      const { text, attachments } = this.#encoder.encode(hook, context, input);
      const answer = this.#exchange.call(hook, text, attachments);
      return answer === undefined ? undefined : this.#decode(hook, answer);
    } finally {
      this.#scope.hook = undefined;
    }
  }

  destroy(): void {
    this.#guest.stop();
  }

  view(view: ConfigView, config: JsonObject): unknown {
    const answer = this.#exchange.call(view, JSON.stringify(config));
    return answer === undefined ? config : this.#decode(view, answer);
  }

  #decode(operation: HookName | ConfigView, { text, attachments }: Answer): unknown {
    try {
      return decodeHookResult(text, attachments);
    } catch (thrown) {
      throw this.#exchange.garbled(operation, thrown);
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

/** Throws PluginError. */
export function loadAbi1(request: ArtefactRequest, guest: Guest, scope: HostScope): object {
  const exchange = new Exchange(request.name, guest);
  const text = describedText(request, exchange.call('describe', 'null')?.text);
  const stated = readDescription(request.name, text, request.manifest);
  return pluginOf(stated, new GuestCalls(guest, exchange, scope));
}
