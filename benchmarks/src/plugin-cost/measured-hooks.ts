/** The two calls that are measured, as a serving thread makes them: what the hooks are shown, and what the plugin answers. */
import type { PluginRun } from '@bifrost/core';
import type { HttpResponseHead, LLMRequest, RequestFacts, RequestTrace } from '@bifrost/sdk';

export const facts: RequestFacts = Object.freeze({
  requestId: '0b6f1c1e-3f0a-4a57-9a39-6f5b5f0f3c11',
  requestType: 'chat_completion',
  method: 'POST',
  path: '/v1/chat/completions',
  isStream: false,
  provider: 'openai',
  model: 'm',
});
export const trace: RequestTrace = {
  facts,
  statusCode: 200,
  startedAt: 0,
  latencyMs: 1,
  attempts: [],
  lane: 'identical',
};

const parts = [{ type: 'text', text: 'x'.repeat(300) }] as const;
const conversation = { model: 'm', stream: false, messages: [{ role: 'user', parts }] } as const;
export const request: LLMRequest = { model: 'm', isStream: false, fallbacks: [], conversation };
const head: HttpResponseHead = { statusCode: 200, headers: { 'content-type': 'application/json' } };

export interface MeasuredHook {
  readonly name: 'preLLMHook' | 'httpTransportResponseHeadersHook';
  /** For the table. */
  readonly title: string;
  readonly input: object;
  /** What the plugin answers, as JSON; empty for nothing. */
  readonly answer: string;
  call(run: PluginRun): unknown;
}

export const measuredHooks: readonly MeasuredHook[] = [
  {
    name: 'preLLMHook',
    title: '0.4 KB in, unchanged',
    input: request,
    answer: '',
    call: (run) => run.preLLM(request),
  },
  {
    name: 'httpTransportResponseHeadersHook',
    title: 'head in, a header out',
    input: head,
    answer: '{"headers":{"x-trivial":"yes"}}',
    call: (run) => run.responseHeaders(head),
  },
];
