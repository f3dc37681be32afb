/** The supervisor's own connection to a plugin's server: everything but hook calls. */
import { connectivityState, status } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import type { JsonObject, PluginLog } from '@bifrost/sdk';
import { apiRelease, isJsonObject, PluginError } from '@bifrost/sdk';
import { configViewFailed, configViewTimeoutMs } from '../../config-view.ts';
import type { ConfigViewName } from '../../config-view.ts';
import { parseSafely } from '../frame-codec.ts';
import { parseGrpcAddress } from './grpc-address.ts';
import type { GrpcTls } from '../remote-plugin.ts';
import { notServing } from './plugin-schema.ts';
import { createPluginClient, protocolVersions } from './plugin-service.ts';
import type { PluginClient } from './plugin-service.ts';

type Answer = Readonly<Record<string, unknown>>;
type UnaryName = 'describe' | 'init' | 'cleanup' | 'check' | ConfigViewName;

const levels = ['debug', 'info', 'warn', 'error'] as const;

/** gRPC's words for an error, without the code's name in front of them. */
function wordsOf(error: ServiceError): string {
  return error.details === '' ? error.message : error.details;
}

export class GrpcControl {
  readonly #client: PluginClient;
  readonly #address: string;

  constructor(address: string, tls?: GrpcTls) {
    const { target, credentials, options } = parseGrpcAddress(address, tls);
    this.#address = address;
    this.#client = createPluginClient(target, credentials, options);
  }

  /** Rejects where no connection comes about in time. */
  connect(timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#client.waitForReady(Date.now() + timeoutMs, (error) => {
        if (error === undefined) resolve();
        else reject(new Error(`no connection to ${this.#address} within ${timeoutMs} ms`, { cause: error }));
      });
    });
  }

  /** Calls back once when the connection is there no more: its sessions have gone with it, also where a new one can be made. */
  whenLost(listener: () => void): void {
    const channel = this.#client.getChannel();
    const { READY: ready } = connectivityState;
    if (channel.getConnectivityState(false) !== ready) listener();
    else channel.watchConnectivityState(ready, Number.POSITIVE_INFINITY, () => listener());
  }

  async describe(timeoutMs: number): Promise<{ readonly description: string; readonly protocol: number }> {
    const answer = await this.#unary('describe', { api: apiRelease, protocols: protocolVersions }, timeoutMs);
    return { description: String(answer['description']), protocol: Number(answer['protocol']) };
  }

  /** Rejects with PluginError that has the plugin's own words. */
  async init(given: { readonly name: string; readonly config: JsonObject }, timeoutMs: number): Promise<void> {
    const { name, config } = given;
    try {
      await this.#unary('init', { name, config: JSON.stringify(config) }, timeoutMs);
    } catch (cause) {
      const isLate = cause instanceof Error && 'code' in cause && cause.code === status.DEADLINE_EXCEEDED;
      const message = isLate
        ? `init did not end within ${timeoutMs} ms`
        : `init failed: ${cause instanceof Error ? cause.message : String(cause)}`;
      throw new PluginError(name, message, {
        code: isLate ? 'BF_PLUGIN_INIT_TIMEOUT' : 'BF_PLUGIN_INIT_FAILED',
        cause,
      });
    }
  }

  /** What of a config is stored, or shown. Rejects with PluginError, which has no word of the plugin's: that may hold a secret. */
  async viewConfig(plugin: string, view: ConfigViewName, config: JsonObject): Promise<JsonObject> {
    let answer: Answer;
    try {
      answer = await this.#unary(view, { config: JSON.stringify(config) }, configViewTimeoutMs);
    } catch (error) {
      throw configViewFailed(plugin, view, whyNotViewed(error));
    }
    const viewed = objectOf(String(answer['config']));
    if (viewed === undefined) throw configViewFailed(plugin, view, 'returned what is no JSON object');
    return viewed;
  }

  async cleanup(timeoutMs: number): Promise<void> {
    await this.#unary('cleanup', {}, timeoutMs);
  }

  /** A server without the health service counts as serving, as long as it answers. */
  async isServing(timeoutMs: number): Promise<boolean> {
    try {
      const answer = await this.#unary('check', { service: '' }, timeoutMs);
      return answer['status'] !== notServing;
    } catch (error) {
      return error instanceof Error && 'code' in error && error.code === status.UNIMPLEMENTED;
    }
  }

  /** Writes what the plugin logs, until it ends; a plugin without the method logs nothing this way. */
  followLogs(log: PluginLog): void {
    const lines = this.#client.logs({});
    lines.on('error', () => undefined);
    lines.on('data', (line: { readonly level: string; readonly message: string; readonly fields: string }) => {
      const level = levels.find((one) => one === line.level) ?? 'info';
      log[level](line.message, objectOf(line.fields));
    });
  }

  close(): void {
    this.#client.close();
  }

  #unary(method: UnaryName, request: object, timeoutMs: number): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#client[method](request, { deadline: Date.now() + timeoutMs }, (error, answer) => {
        if (error === null) resolve(answer);
        else reject(Object.assign(new Error(wordsOf(error), { cause: error }), { code: error.code }));
      });
    });
  }
}

function whyNotViewed(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === status.UNIMPLEMENTED) return 'is described, but the program has no such method (UNIMPLEMENTED)';
  if (code === status.DEADLINE_EXCEEDED) return `did not settle within ${configViewTimeoutMs} ms`;
  const name = typeof code === 'number' ? status[code] : undefined;
  return `failed (${name ?? 'UNKNOWN'}; what it says is not told, as it may hold a part of the config)`;
}

/** Undefined for what is no JSON object. */
function objectOf(text: string): JsonObject | undefined {
  try {
    const value = parseSafely(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    // Each caller says what that means: a line of the log, for one, is not lost for its fields.
    return undefined;
  }
}
