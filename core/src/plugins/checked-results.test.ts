import { describe, expect, it } from 'vitest';
import type { ErrorInfo, LLMOutcome, LLMRequest, StreamEvent } from '@bifrost/sdk';
import { chainsOf, streamed, untyped } from './__tests__/chains-of.ts';
import type { PluginRun } from './chain.ts';

const httpRequest = { method: 'POST', path: '/', query: {}, headers: {} };
const request: LLMRequest = { model: 'm', isStream: false, fallbacks: [] };
const outcome: LLMOutcome = { request, statusCode: 200, latencyMs: 1 };
const event: StreamEvent = { type: 'text-delta', part: '0', text: 'a' };
const ask = { model: 'm', stream: false };

interface Wrong {
  readonly hook: string;
  readonly what: string;
  readonly returned: unknown;
  /** What the plugin's author is told. */
  readonly message: string;
}

const calls: Readonly<Record<string, (run: PluginRun) => unknown>> = {
  httpTransportPreHook: (run) => run.httpPre(httpRequest),
  httpTransportStreamChunkHook: (run) => run.streamChunk({ data: 'a', index: 0 }),
  preLLMHook: (run) => run.preLLM(request),
  postLLMHook: (run) => run.postLLM(outcome),
  preMCPConnectionHook: (run) => run.preMCPConnection({ client: 'c', connectionType: 'stdio' }),
};

const answer = (headers: object): object => ({ response: { statusCode: 200, headers } });
const errorOf = (statusCode: number): object => ({ error: { statusCode, message: 'no' } });

const wrong: readonly Wrong[] = [
  {
    hook: 'httpTransportPreHook',
    what: 'a line break in a header of its answer',
    returned: answer({ 'x-a': ['fine', 'a\r\nb'] }),
    message: 'free of control characters',
  },
  {
    hook: 'httpTransportPreHook',
    what: 'a header that frames its answer',
    returned: answer({ 'Content-Length': '1' }),
    message: 'the gateway states it itself',
  },
  {
    hook: 'httpTransportStreamChunkHook',
    what: 'an error without a message',
    returned: { error: { statusCode: 400 } },
    message: '`error.message` must be a string',
  },
  {
    hook: 'preLLMHook',
    what: 'a message of nobody',
    returned: { conversation: { ...ask, messages: [{ role: 'nobody', parts: [] }] } },
    message: 'messages[0].role` must be one of',
  },
  {
    hook: 'preLLMHook',
    what: 'an error with a status of success',
    returned: errorOf(200),
    message: 'an HTTP status from 400 to 599, got 200',
  },
  {
    hook: 'preLLMHook',
    what: 'an error with a status beyond all',
    returned: errorOf(600),
    message: 'an HTTP status from 400 to 599, got 600',
  },
  {
    hook: 'preLLMHook',
    what: 'an error with a broken status',
    returned: errorOf(400.5),
    message: 'an HTTP status from 400 to 599, got 400.5',
  },
  {
    hook: 'preLLMHook',
    what: 'an answer whose id is no text',
    returned: { response: { id: 1, candidates: [] } },
    message: '`response.id` must be a string',
  },
  {
    hook: 'postLLMHook',
    what: 'an answer without candidates',
    returned: { response: {} },
    message: '`response.candidates` must be an array',
  },
  {
    hook: 'preMCPConnectionHook',
    what: 'an argument that is no text',
    returned: { stdioArgs: ['-v', 1] },
    message: '`stdioArgs[1]` must be a string',
  },
];

describe('a hook that returns what its contract does not know', () => {
  it.each(wrong)('$hook: $what is refused, and nothing changes', ({ hook, returned, message }) => {
    const { open, lines } = chainsOf([{ name: 'bad', [hook]: untyped(returned) }]);
    const unchanged = calls[hook]?.(chainsOf([{ name: 'idle', [hook]: untyped(undefined) }]).open());
    expect(calls[hook]?.(open())).toEqual(unchanged);
    expect(lines).toEqual([expect.stringContaining(message)]);
  });

  it('postLLMHook with chunks: a misspelt member is refused, and the event leaves as it came', () => {
    const { open, lines } = chainsOf([
      { name: 'bad', postLLMHook: { chunks: 'each', handler: untyped<'postLLMHook'>({ event: [] }) } },
    ]);
    expect(streamed(open())(event)).toEqual([event]);
    expect(lines).toEqual([expect.stringMatching(/`event` must be absent.*\(known: events, error\)/)]);
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
