/** Takes a plugin through one exchange as the gateway does: the same chains, the same order of phases. */
import { ResponseAccumulator } from '@bifrost/core';
import type { PluginChainSet, PluginRun } from '@bifrost/core';
import type {
  AttemptTrace,
  ConversationResponse,
  ErrorInfo,
  HttpResponse,
  LLMOutcome,
  LLMRequest,
  PluginFailure,
  RequestTrace,
  StreamEvent,
} from '@bifrost/sdk';
import { connected, connection, toolCall, toolFailure, toolOutcome } from './conversation-inputs.ts';
import type { Exchange, ProviderAnswer } from './exchanges.ts';

/** What came of it. */
export interface PlayedExchange {
  /** False where no hook matched. */
  readonly isSeen: boolean;
  readonly statusCode: number;
  /** Hook calls that failed, as the gateway counts them. */
  readonly failures: readonly PluginFailure[];
  /** The texts of a stream as they left. */
  readonly text?: string;
}

/** What is known at the end of the attempts. */
interface Answered {
  readonly statusCode: number;
  readonly response?: ConversationResponse;
  readonly events?: readonly StreamEvent[];
  readonly error?: ErrorInfo;
}

/** Values that the clock would make different each time. */
const latencyMs = 120;
const startedAtMs = 1_760_000_000_000;

class Player {
  readonly #run: PluginRun;
  readonly #exchange: Exchange;
  readonly #attempts: AttemptTrace[] = [];
  readonly #controller: AbortController;

  constructor(run: PluginRun, exchange: Exchange, controller: AbortController) {
    this.#run = run;
    this.#exchange = exchange;
    this.#controller = controller;
  }

  async play(): Promise<{ readonly trace: RequestTrace; readonly text?: string }> {
    const { facts, headers, body } = this.#exchange;
    const request = { method: facts.method, path: facts.path, query: {}, headers, body };
    const early = (await this.#run.httpPreAuth?.(request)) ?? (await this.#run.httpPre(request));
    if (early?.error !== undefined)
      return this.#end(await this.#answerWhole({ statusCode: early.error.statusCode, error: early.error }));
    if (early?.response !== undefined) return this.#end(await this.#send(early.response));
    const answered = await this.#attempt();
    const out = answered.events === undefined ? await this.#answerWhole(answered) : await this.#answerStream(answered);
    return this.#end(out);
  }

  /** The primary and its fallbacks, until one answers or forbids the next. */
  async #attempt(): Promise<Answered> {
    const { attempts, conversation, facts, body } = this.#exchange;
    const base: LLMRequest = {
      model: attempts[0]?.model ?? 'none',
      isStream: facts.isStream,
      fallbacks: attempts.slice(1).map(({ provider, model }) => `${provider}/${model}`),
      body,
      ...(conversation === undefined ? {} : { conversation }),
    };
    const routed = await this.#run.preRequest(base);
    if (routed?.error !== undefined) return { statusCode: routed.error.statusCode, error: routed.error };
    let last: Answered = { statusCode: 500 };
    for (const [fallbackIndex, { provider, model, answer }] of attempts.entries()) {
      this.#run.update({ provider, model, fallbackIndex });
      last = await this.#one({ ...base, provider, model }, answer);
      this.#attempts.push({ provider, model, statusCode: last.statusCode, latencyMs });
      if (last.error === undefined || last.error.allowFallbacks === false) break;
    }
    return last;
  }

  async #one(request: LLMRequest, answer: ProviderAnswer): Promise<Answered> {
    const before = await this.#run.preLLM(request);
    if (before?.stream !== undefined) {
      const events: StreamEvent[] = [];
      for await (const event of before.stream) events.push(event);
      return { statusCode: 200, events };
    }
    if ('events' in answer && before?.response === undefined && before?.error === undefined) {
      return { statusCode: 200, events: answer.events };
    }
    const stated: ProviderAnswer =
      before?.error === undefined
        ? before?.response === undefined
          ? answer
          : { response: before.response }
        : { error: before.error };
    return this.#judge(request, stated);
  }

  /** `postLLMHook`, with what it makes of the outcome. */
  async #judge(request: LLMRequest, answer: ProviderAnswer): Promise<Answered> {
    const head = { model: request.model, isStream: request.isStream, fallbacks: request.fallbacks };
    const withProvider = request.provider === undefined ? head : { ...head, provider: request.provider };
    const outcome: LLMOutcome =
      'error' in answer
        ? { request: withProvider, error: answer.error, statusCode: answer.error.statusCode, latencyMs }
        : {
            request: withProvider,
            ...('response' in answer ? { response: answer.response } : {}),
            ...('response' in answer && answer.response.usage !== undefined ? { usage: answer.response.usage } : {}),
            statusCode: 200,
            latencyMs,
          };
    const after = await this.#run.postLLM(outcome);
    const error = after?.error ?? (after?.response === undefined ? outcome.error : undefined);
    if (error !== undefined) return { statusCode: error.statusCode, error };
    const response = after?.response ?? outcome.response;
    return { statusCode: 200, ...(response === undefined ? {} : { response }) };
  }

  async #answerWhole({ statusCode, response, error }: Answered): Promise<Sent> {
    return this.#send({
      statusCode,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(error === undefined ? (response ?? {}) : { error: { message: error.message } }),
    });
  }

  async #send(response: HttpResponse): Promise<Sent> {
    const { body: _body, ...head } = response;
    await this.#run.responseHeaders(head);
    const changed = await this.#run.httpPost(response);
    return { statusCode: this.#run.denial?.statusCode ?? changed?.statusCode ?? response.statusCode };
  }

  async #answerStream({ events = [] }: Answered): Promise<Sent> {
    await this.#run.responseHeaders({ statusCode: 200, headers: { 'content-type': 'text/event-stream' } });
    const { attempts, facts, isBrokenOff } = this.#exchange;
    const { provider, model = 'none' } = attempts[this.#attempts.length] ?? attempts[0] ?? {};
    const head = { model, isStream: facts.isStream, fallbacks: [], ...(provider === undefined ? {} : { provider }) };
    const hooks = this.#run.openStream({ request: head, startedAt: 0, onDue: () => undefined });
    const accumulator = new ResponseAccumulator();
    let index = 0;
    const write = async (out: readonly StreamEvent[]): Promise<void> => {
      for (const event of out) {
        accumulator.push({ events: [event] });
        if (event.type !== 'text-delta') continue;
        await this.#run.streamChunk({ data: JSON.stringify({ choices: [{ delta: { content: event.text } }] }), index });
        index += 1;
      }
    };
    const shown = isBrokenOff === true ? events.slice(0, Math.ceil(events.length / 2)) : events;
    const tracks = shown.map(() => ({ pending: 0, isChanged: false, out: [] as StreamEvent[] }));
    for (const [at, event] of shown.entries()) {
      const track = tracks[at];
      if (track === undefined || hooks === null) await write([event]);
      else await hooks.push(track, [event]);
    }
    if (isBrokenOff === true) {
      this.#controller.abort(new Error('the client has gone'));
      hooks?.close();
    } else await hooks?.end();
    await write(tracks.flatMap(({ out }) => out));
    const answer = hooks?.error === undefined ? { response: accumulator.result() } : { error: hooks.error };
    await this.#judge({ ...head, fallbacks: [] }, answer);
    const text = accumulator
      .result()
      .candidates.flatMap(({ parts }) => parts)
      .map((part) => (part.type === 'text' ? part.text : ''))
      .join('');
    return { statusCode: hooks?.error?.statusCode ?? 200, text };
  }

  #end({ statusCode, text }: Sent): { readonly trace: RequestTrace; readonly text?: string } {
    const trace: RequestTrace = {
      facts: this.#exchange.facts,
      statusCode,
      startedAt: startedAtMs,
      latencyMs,
      attempts: this.#attempts,
      lane: 'translated',
    };
    return { trace, ...(text === undefined ? {} : { text }) };
  }
}

interface Sent {
  readonly statusCode: number;
  readonly text?: string;
}

/** Plays one exchange to its end, `inject` included. */
export async function playExchange(chains: PluginChainSet, exchange: Exchange): Promise<PlayedExchange> {
  const controller = new AbortController();
  const run = chains.open(exchange.facts, exchange.headers, controller.signal);
  if (run === null) return { isSeen: false, statusCode: 0, failures: [] };
  const { trace, text } = await new Player(run, exchange, controller).play();
  const complete = run.complete?.(trace) ?? trace;
  run.finish(trace);
  await chains.whenIdle();
  // `inject` runs after `finish`, and fails after it.
  const failures = run.complete?.(trace).pluginFailures ?? complete.pluginFailures ?? [];
  return {
    isSeen: true,
    statusCode: trace.statusCode,
    failures: [...failures],
    ...(text === undefined ? {} : { text }),
  };
}

/** Takes the MCP hooks through a call, a failed call and a connection. */
export async function playMCP(chains: PluginChainSet): Promise<PlayedExchange> {
  const facts = {
    requestId: 'conformance-mcp',
    requestType: 'mcp_tool',
    method: 'POST',
    path: '/mcp',
    isStream: false,
  };
  const run = chains.open(facts, {}, new AbortController().signal);
  if (run === null) return { isSeen: false, statusCode: 0, failures: [] };
  await run.preMCPConnection(connection);
  await run.postMCPConnection(connected);
  await run.preMCP(toolCall);
  await run.postMCP(toolOutcome);
  await run.preMCP(toolCall);
  await run.postMCP(toolFailure);
  const trace: RequestTrace = { facts, statusCode: 200, startedAt: startedAtMs, latencyMs, attempts: [], lane: 'none' };
  run.finish(trace);
  await chains.whenIdle();
  return { isSeen: true, statusCode: 200, failures: [...(run.complete?.(trace).pluginFailures ?? [])] };
}
