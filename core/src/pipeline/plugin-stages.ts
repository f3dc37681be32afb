import { GatewayError } from '@bifrost/sdk';
import type { ErrorInfo, HttpRequest, HttpResponse, LLMRequest, Reads } from '@bifrost/sdk';
import type { HttpPreOutcome, PreRequestOutcome } from '../plugins/chain.ts';
import { conversationOf } from './encode-request.ts';
import { respondWhole } from './respond-whole.ts';
import type { RequestRun } from './run.ts';

/**
 * Opens the plugins' chains for the request and runs `httpTransportPreHook`. True when a plugin answered. Throws GatewayError
 * where one denied.
 */
export async function openPlugins(run: RequestRun): Promise<boolean> {
  const chains = run.snapshot.plugins;
  if (chains === null) return false;
  const abort = new AbortController();
  run.sink.onClose(() => abort.abort());
  run.plugins = chains.open(run.facts(), run.headers as HttpRequest['headers'], abort.signal);
  const { httpPre } = run.needs;
  if (run.plugins === null || httpPre === undefined) return false;
  const outcome = run.plugins.httpPre(httpRequestOf(run, httpPre));
  const settled = outcome instanceof Promise ? await outcome : outcome;
  if (settled === undefined) return false;
  if (settled.error !== undefined) throw asError(settled.error);
  applyHttpPre(run, settled);
  if (settled.response === undefined) return false;
  await respondByPlugin(run, settled.response);
  return true;
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
    run.body = Buffer.from(outcome.body.buffer, outcome.body.byteOffset, outcome.body.length);
}

async function respondByPlugin(run: RequestRun, response: HttpResponse): Promise<void> {
  const body = response.body === undefined ? Buffer.alloc(0) : Buffer.from(response.body as Uint8Array);
  await respondWhole(run, response.statusCode, { 'x-request-id': run.request.requestId, ...response.headers }, body);
}

/** The routing phase: `preRequestHook` may name another model, other fallbacks, or change the conversation. */
export async function routeByPlugins(run: RequestRun): Promise<void> {
  const reads = run.needs.preRequest;
  run.plugins?.update(run.facts());
  if (reads === undefined || run.plugins === null) return;
  const outcome = run.plugins.preRequest(requestOf(run, reads));
  const settled: PreRequestOutcome | undefined = outcome instanceof Promise ? await outcome : outcome;
  if (settled === undefined) return;
  if (settled.error !== undefined) throw asError(settled.error);
  if (settled.model !== undefined) run.modelText = settled.model;
  if (settled.fallbacks !== undefined) run.fallbacks = settled.fallbacks;
  if (settled.conversation !== undefined) {
    run.conversation = settled.conversation;
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
