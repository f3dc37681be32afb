import { GatewayError, isJsonObject } from '@bifrost/sdk';
import type { Json, JsonObject } from '@bifrost/sdk';
import { defaultClient } from '../config-defaults.ts';
import { createEngine } from '../pipeline/engine.ts';
import type { Engine, InboundRoute } from '../pipeline/seam.ts';
import { SseParser } from '../sse/parser.ts';
import { resolveGatewayProvider } from './gateway-options.ts';
import type { GatewayOptions, RequestOptions } from './gateway-options.ts';
import { BodySink } from './response-body.ts';

const routes = {
  chat: { operation: 'conversation', dialect: 'openai-chat', requestType: 'chat_completion', isDropIn: false },
  responses: { operation: 'conversation', dialect: 'openai-responses', requestType: 'responses', isDropIn: false },
  messages: {
    operation: 'conversation',
    dialect: 'anthropic-messages',
    requestType: 'chat_completion',
    isDropIn: false,
  },
  embeddings: { operation: 'embeddings', dialect: 'openai-chat', requestType: 'embedding', isDropIn: false },
} as const satisfies Readonly<Record<string, InboundRoute>>;

/** What can be asked for, by the API whose words the request is in. */
export type GatewayOperation = keyof typeof routes;

/**
 * The engine inside another program: the same lanes, retries, fallbacks and plugins as behind the HTTP server, without one.
 *
 * ```ts
 * const gateway = new Gateway({ providers: { openai: { keys: [key] } } });
 * const answer = await gateway.chat({ model: 'openai/gpt-4o-mini', messages });
 * for await (const chunk of gateway.streamChat({ model: 'openai/gpt-4o-mini', messages })) ...
 * await gateway.close();
 * ```
 */
export class Gateway implements AsyncDisposable {
  readonly #engine: Engine;
  #requests = 0;

  /** Throws ConfigError where a provider is unknown or has no key. */
  constructor(options: GatewayOptions = {}) {
    const { providers = {}, client, plugins = null, logger, onTrace } = options;
    this.#engine = createEngine({
      ...(logger === undefined ? {} : { logger }),
      ...(onTrace === undefined ? {} : { onTrace }),
    });
    const resolved = Object.entries(providers).map(
      ([name, given]) => [name, resolveGatewayProvider(name, given)] as const,
    );
    this.#engine.configure({
      version: 1,
      providers: new Map(resolved),
      client: { ...defaultClient, ...client },
      plugins,
    });
  }

  /** A chat completion in OpenAI's words. Rejects with GatewayError where the answer is an error. */
  chat(body: JsonObject, options?: RequestOptions): Promise<JsonObject> {
    return this.#whole('chat', body, options);
  }

  /** The chunks of a streamed chat completion, in OpenAI's words. Leaving the loop ends the call to the provider. */
  streamChat(body: JsonObject, options?: RequestOptions): AsyncGenerator<JsonObject, void, undefined> {
    return this.#stream('chat', body, options);
  }

  /** An answer of OpenAI's Responses API. */
  responses(body: JsonObject, options?: RequestOptions): Promise<JsonObject> {
    return this.#whole('responses', body, options);
  }

  /** A message in Anthropic's words. */
  messages(body: JsonObject, options?: RequestOptions): Promise<JsonObject> {
    return this.#whole('messages', body, options);
  }

  /** Embeddings in OpenAI's words. */
  embeddings(body: JsonObject, options?: RequestOptions): Promise<JsonObject> {
    return this.#whole('embeddings', body, options);
  }

  /** Any operation with the answer as it is: status, headers with routing facts, bytes. Streams where the body says `stream`. */
  async request(operation: GatewayOperation, body: JsonObject, options: RequestOptions = {}): Promise<Response> {
    const sink = new BodySink(options.signal);
    this.#requests += 1;
    void this.#engine.handle(
      {
        requestId: `embedded-${this.#requests}`,
        route: routes[operation],
        method: 'POST',
        path: `/${operation}`,
        query: '',
        headers: { 'content-type': 'application/json', ...options.headers },
        body: Buffer.from(JSON.stringify(body)),
        startedAt: performance.now(),
      },
      sink,
    );
    return aborted(sink.response, options.signal);
  }

  /** Ends what is under way, then closes all connections. Later requests are refused. */
  async close(): Promise<void> {
    await this.#engine.drain();
    await this.#engine.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #whole(operation: GatewayOperation, body: JsonObject, options?: RequestOptions): Promise<JsonObject> {
    const response = await this.request(operation, { ...body, stream: false }, options);
    const text = await response.text();
    if (!response.ok) throw toError(response.status, text);
    return parseObject(text);
  }

  async *#stream(
    operation: GatewayOperation,
    body: JsonObject,
    options?: RequestOptions,
  ): AsyncGenerator<JsonObject, void, undefined> {
    const response = await this.request(operation, { ...body, stream: true }, options);
    if (!response.ok || response.body === null) throw toError(response.status, await response.text());
    const parser = new SseParser();
    for await (const bytes of response.body) {
      for (const { data } of parser.push(bytes)) {
        if (data === '[DONE]') return;
        const chunk = parseObject(data);
        if (chunk['error'] !== undefined) throw toError(502, data);
        yield chunk;
      }
    }
  }
}

/** The answer, or the signal's reason where it comes first. */
async function aborted(response: Promise<Response>, signal: AbortSignal | undefined): Promise<Response> {
  if (signal === undefined) return response;
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const leave = (): void => reject(signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason)));
  signal.addEventListener('abort', leave, { once: true });
  try {
    return await Promise.race([response, promise]);
  } finally {
    signal.removeEventListener('abort', leave);
  }
}

function parseObject(text: string): JsonObject {
  // JSON.parse yields JSON.
  const value = JSON.parse(text) as Json;
  return isJsonObject(value) ? value : { value };
}

/** The error that an answer carries, with its message and everything else it says. */
function toError(statusCode: number, text: string): GatewayError {
  const data = parseObject(text);
  const { error } = data;
  const message =
    isJsonObject(error) && typeof error['message'] === 'string'
      ? error['message']
      : `the answer has status ${statusCode}`;
  return new GatewayError(message, { code: 'BF_GATEWAY_REQUEST_FAILED', statusCode, data });
}
