import { describe, expect, it } from 'vitest';
import type { ErrorInfo, LLMOutcome, LLMRequest, StreamEvent } from '@bifrost/sdk';
import { chainsOf, streamed, untyped } from './__tests__/chains-of.ts';
import type { PluginRun } from './chain.ts';

type Run = (run: PluginRun) => unknown;

const httpRequest = { method: 'POST', path: '/', query: {}, headers: {} };
const request: LLMRequest = { model: 'm', isStream: false, fallbacks: [] };
const outcome: LLMOutcome = { request, statusCode: 200, latencyMs: 1 };
const event: StreamEvent = { type: 'text-delta', part: '0', text: 'a' };
const ask = { model: 'm', stream: false };

/** Hook, how it is run, what it wrongly returns, and what its author is told. */
const wrong: readonly (readonly [string, string, Run, unknown, string])[] = [
  [
    'httpTransportPreHook',
    'a line break in a header of its answer',
    (run) => run.httpPre(httpRequest),
    { response: { statusCode: 200, headers: { 'x-a': ['fine', 'a\r\nb'] } } },
    'free of control characters',
  ],
  [
    'httpTransportPreHook',
    'a header that frames its answer',
    (run) => run.httpPre(httpRequest),
    { response: { statusCode: 200, headers: { 'Content-Length': '1' } } },
    'the gateway states it itself',
  ],
  [
    'httpTransportStreamChunkHook',
    'an error without a message',
    (run) => run.streamChunk({ data: 'a', index: 0 }),
    { error: { statusCode: 400 } },
    '`error.message` must be a string',
  ],
  [
    'preLLMHook',
    'a message of nobody',
    (run) => run.preLLM(request),
    { conversation: { ...ask, messages: [{ role: 'nobody', parts: [] }] } },
    'messages[0].role` must be one of',
  ],
  [
    'preLLMHook',
    'an error with a status of success',
    (run) => run.preLLM(request),
    { error: { statusCode: 200, message: 'no' } },
    'an HTTP status from 400 to 599, got 200',
  ],
  [
    'preLLMHook',
    'an error with a status beyond all',
    (run) => run.preLLM(request),
    { error: { statusCode: 600, message: 'no' } },
    'an HTTP status from 400 to 599, got 600',
  ],
  [
    'preLLMHook',
    'an error with a broken status',
    (run) => run.preLLM(request),
    { error: { statusCode: 400.5, message: 'no' } },
    'an HTTP status from 400 to 599, got 400.5',
  ],
  [
    'preLLMHook',
    'an answer whose id is no text',
    (run) => run.preLLM(request),
    { response: { id: 1, candidates: [] } },
    '`response.id` must be a string',
  ],
  [
    'postLLMHook',
    'an answer without candidates',
    (run) => run.postLLM(outcome),
    { response: {} },
    '`response.candidates` must be an array',
  ],
  [
    'preMCPConnectionHook',
    'an argument that is no text',
    (run) => run.preMCPConnection({ client: 'c', connectionType: 'stdio' }),
    { stdioArgs: ['-v', 1] },
    '`stdioArgs[1]` must be a string',
  ],
];

describe('a hook that returns what its contract does not know', () => {
  it.each(wrong)('%s: %s is refused, and nothing changes', (hook, _what, act, returned, message) => {
    const { open, lines } = chainsOf([{ name: 'bad', [hook]: untyped(returned) }]);
    const run = open();
    const unchanged = act(chainsOf([{ name: 'idle', [hook]: untyped(undefined) }]).open());
    expect(act(run)).toEqual(unchanged);
    expect(lines).toEqual([expect.stringContaining(message)]);
  });

  it('postLLMHook with chunks: a misspelt member is refused, and the event leaves as it came', () => {
    const { open, lines } = chainsOf([
      { name: 'bad', postLLMHook: { chunks: 'each', handler: untyped<'postLLMHook'>({ event: [] }) } },
    ]);
    expect(streamed(open())(event)).toEqual([event]);
    expect(lines).toEqual([expect.stringContaining('`event` must be absent (known: events, error)')]);
  });

  it('throws what cannot be read: its failure has words all the same', () => {
    const unreadable = Object.defineProperty(new Error('x'), 'message', {
      get() {
        throw new Error('trap');
      },
    });
    const { open, lines } = chainsOf([
      {
        name: 'bad',
        preRequestHook() {
          throw unreadable;
        },
      },
    ]);
    expect(open().preRequest(request)).toBeUndefined();
    expect(lines).toEqual([expect.stringContaining('threw a value that cannot be read')]);
  });
});

describe('a hook that returns what its contract knows', () => {
  it('answers with headers under the names that they are sent with, several of one name too', () => {
    const { open } = chainsOf([
      {
        name: 'a',
        httpTransportPreHook: () => ({ response: { statusCode: 204, headers: { 'Set-Cookie': ['a', 'b'] } } }),
      },
    ]);
    expect(open().httpPre(httpRequest)).toMatchObject({
      response: { statusCode: 204, headers: { 'set-cookie': ['a', 'b'] } },
    });
  });

  it.each([400, 599])('ends the request with the status %d', (statusCode) => {
    const error: ErrorInfo = { statusCode, message: 'no', origin: 'plugin' };
    expect(
      chainsOf([{ name: 'a', preLLMHook: () => ({ error }) }])
        .open()
        .preLLM(request),
    ).toEqual({ error });
  });
});
