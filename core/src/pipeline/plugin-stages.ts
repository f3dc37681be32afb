import { GatewayError } from '@bifrost/sdk';
import type { ErrorInfo, HttpRequest, HttpResponse, LLMRequest, Reads } from '@bifrost/sdk';
import type { HttpPreOutcome, PreRequestOutcome } from '../plugins/chain.ts';
import { conversationOf } from './encode-request.ts';
import { glimpseStream } from './peeked-fields.ts';
import { respondWhole } from './respond-whole.ts';
import type { RequestRun } from './run.ts';
import { whenSettled } from './when-settled.ts';

/**
 * Opens the plugins' chains for the request, lets the caller in, and runs `httpTransportPreHook`. True when a plugin answered.
 * Throws GatewayError where one denied or the caller was refused.
 */
export function openPlugins(run: RequestRun): boolean | Promise<boolean> {
  const chains = run.snapshot.plugins;
  if (chains !== null) {
    glimpseStream(run);
    run.plugins = chains.open(run.facts(), run.headers as HttpRequest['headers'], run);
  }
  const { authenticate } = run.request;
  if (authenticate === undefined) return runHttpPre(run);
  return whenSettled(runHttpPreAuth(run), (isAnswered): boolean | Promise<boolean> => {
    if (isAnswered) return true;
    const refusal = authenticate(run.headers);
    if (refusal !== undefined) throw refusal;
    return runHttpPre(run);
  });
}

/** `httpTransportPreAuthHook` on its own, where the caller is let in after it. */
function runHttpPreAuth(run: RequestRun): boolean | Promise<boolean> {
  const { httpPreAuth } = run.needs;
  if (run.plugins?.httpPreAuth === undefined || httpPreAuth === undefined) return false;
  return whenSettled(run.plugins.httpPreAuth(httpRequestOf(run, httpPreAuth)), (outcome) =>
    answerHttpPre(run, outcome),
  );
}

function runHttpPre(run: RequestRun): boolean | Promise<boolean> {
  const { httpPre } = run.needs;
  if (run.plugins === null || httpPre === undefined) return false;
  return whenSettled(run.plugins.httpPre(httpRequestOf(run, httpPre)), (outcome) => answerHttpPre(run, outcome));
}

/** True where the hooks have answered. Throws GatewayError where one denied. */
function answerHttpPre(run: RequestRun, outcome: HttpPreOutcome | undefined): boolean | Promise<boolean> {
  if (outcome === undefined) return false;
  if (outcome.error !== undefined) throw asError(outcome.error);
  applyHttpPre(run, outcome);
  if (outcome.response === undefined) return false;
  return whenSettled(respondByPlugin(run, outcome.response), () => true);
}

function httpRequestOf(run: RequestRun, reads: Reads): HttpRequest {
  const { method, path, query } = run.request;
  return {
    method,
    path,
    query: query === '' ? {} : parseQuery(query),
    headers: run.headers as HttpRequest['headers'],
    ...(reads === 'head' ? {} : { body: run.body }),
  };
}

function parseQuery(query: string): Record<string, string | string[]> {
  const parsed: Record<string, string | string[]> = Object.create(null);
  const parameters = new URLSearchParams(query);
  for (const name of new Set(parameters.keys())) {
    const values = parameters.getAll(name);
    parsed[name] = values.length === 1 ? (values[0] as string) : values;
  }
  return parsed;
}

function applyHttpPre(run: RequestRun, outcome: HttpPreOutcome): void {
  const changes = Object.entries(outcome.headers);
  if (changes.length > 0) {
    const headers: Record<string, string | readonly string[] | undefined> = { ...run.headers };
    for (const [name, value] of changes) headers[name.toLowerCase()] = value ?? undefined;
    run.headers = headers;
  }
  if (outcome.body !== undefined)
    run.replaceBody(Buffer.from(outcome.body.buffer, outcome.body.byteOffset, outcome.body.length));
}

function respondByPlugin(run: RequestRun, response: HttpResponse): void | Promise<void> {
  const body = response.body === undefined ? Buffer.alloc(0) : Buffer.from(response.body as Uint8Array);
  return respondWhole(run, response.statusCode, { 'x-request-id': run.request.requestId, ...response.headers }, body);
}

/** The routing phase: `preRequestHook` may name another model, other fallbacks, or change the conversation. */
export function routeByPlugins(run: RequestRun): void | Promise<void> {
  if (run.plugins === null) return undefined;
  const reads = run.needs.preRequest;
  run.plugins.update(run.facts());
  if (reads === undefined) return undefined;
  return whenSettled(run.plugins.preRequest(requestOf(run, reads)), (outcome) => applyRouting(run, outcome));
}

function applyRouting(run: RequestRun, outcome: PreRequestOutcome | undefined): void {
  if (outcome === undefined) return;
  if (outcome.error !== undefined) throw asError(outcome.error);
  if (outcome.model !== undefined) run.modelText = outcome.model;
  if (outcome.fallbacks !== undefined) run.fallbacks = outcome.fallbacks;
  if (outcome.conversation !== undefined) {
    run.conversation = outcome.conversation;
    run.isConversationChanged = true;
  }
}

/**
 * What `preRequestHook` and `preLLMHook` are given: no more than the most demanding of them reads. `body` includes the messages:
 * a guard that reads these must not go blind because another plugin reads the bytes.
 */
export function requestOf(run: RequestRun, reads: Reads): LLMRequest {
  const head = run.head();
  if (reads === 'head') return head;
  return {
    ...head,
    ...(run.request.route.operation === 'conversation' ? { conversation: conversationOf(run) } : {}),
    ...(reads === 'body' ? { body: run.body } : {}),
  };
}

/** A plugin's error as one to throw. */
export function asError(info: ErrorInfo): GatewayError {
  return new GatewayError(info.message, {
    code: info.code ?? 'BF_PLUGIN_DENIED',
    statusCode: info.statusCode,
    origin: info.origin,
    info,
  });
}
