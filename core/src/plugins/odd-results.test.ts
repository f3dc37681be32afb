/** What plugins return, set and throw by mistake, and what would cost others: refused where it is done, in words that name it. */
import { describe, expect, it } from 'vitest';
import type { HookContext, HttpResponse, Json, LLMRequest, StreamEvent } from '@bifrost/sdk';
import { chainsOf, trace } from './__tests__/chains-of.ts';

const request: LLMRequest = { model: 'm', isStream: false, fallbacks: [] };
const head = { statusCode: 200, headers: {}, isStream: false };

function cycle(): Json {
  const self: Record<string, unknown> = {};
  self['self'] = self;
  return self as Json;
}

describe('headers of a plugin', () => {
  it.each([
    ['a dash that is not in Latin 1', { 'x-a': 'yes — no' }, 'beyond U+00FF'],
    ['an emoji', { 'x-a': '\u{1F600}' }, 'beyond U+00FF'],
    ['a line break', { 'x-a': 'a\r\nx-b: c' }, 'free of control characters'],
    ['a value that no client takes', { 'x-a': 'v'.repeat(70_000) }, 'at most 65536 characters together'],
    [
      'more than any client takes',
      Object.fromEntries(Array.from({ length: 9000 }, (_, index) => [`x-name-${index}`, '1'])),
      'at most 65536 characters together',
    ],
  ])('with %s are not sent, and the answer is not lost', (_what, headers, words) => {
    const { open, lines } = chainsOf([
      {
        name: 'a',
        httpTransportResponseHeadersHook: () => ({ headers }),
        httpTransportPostHook: () => ({ headers }),
        httpTransportPreHook: () => ({ response: { statusCode: 200, headers, body: 'x' } }),
      },
    ]);
    const run = open();
    expect(run.responseHeaders(head)).toBeUndefined();
    expect(run.httpPost({ ...head, body: new Uint8Array() } as HttpResponse)).toBeUndefined();
    const asked = { method: 'POST', path: '/', query: '', headers: {}, body: new Uint8Array() };
    expect(run.httpPre(asked as never)).toBeUndefined();
    expect(lines).toHaveLength(3);
    for (const line of lines) expect(line).toContain(words);
  });

  it('may have letters of Latin 1', () => {
    const { open } = chainsOf([
      { name: 'a', httpTransportResponseHeadersHook: () => ({ headers: { 'x-a': 'né\t' } }) },
    ]);
    expect(open().responseHeaders(head)).toEqual({ 'x-a': 'né\t' });
  });
});

describe('a body whose bytes were given away', () => {
  it('is no body', () => {
    const body = new Uint8Array(8);
    structuredClone(body, { transfer: [body.buffer] });
    const { open, lines } = chainsOf([{ name: 'a', httpTransportPostHook: () => ({ body }) }]);
    expect(open().httpPost({ ...head, body: new Uint8Array() } as HttpResponse)).toBeUndefined();
    expect(lines.join()).toContain('bytes that are still there');
  });
});

describe('what a plugin sets for others', () => {
  it.each([
    ['a cycle', cycle(), 'nested at most 200 deep'],
    ['a big integer', 1n as unknown as Json, 'plain JSON data'],
    ['a function', (() => 1) as unknown as Json, 'plain JSON data'],
    ['an instance', new Map() as unknown as Json, 'plain JSON data'],
  ])('is plain data: %s is refused to who sets it', (_what, value, words) => {
    const seen: unknown[] = [];
    const { open, lines } = chainsOf([
      { name: 'a', preRequestHook: (context) => context.setValue('v', value) },
      { name: 'b', preRequestHook: (context) => context.setTraceAttribute('t', value) },
      { name: 'c', preRequestHook: (context) => void seen.push(context.getValue('a/v')) },
    ]);
    const run = open();
    void run.preRequest(request);
    expect(seen).toEqual([undefined]);
    expect(lines.filter((line) => line.includes(words))).toHaveLength(2);
    expect(lines[0]).toContain('setValue("v")');
    expect(lines[1]).toContain('setTraceAttribute("t")');
    run.finish(trace);
  });

  it('is not the methods of the context, which all plugins share', () => {
    const poison = (context: HookContext): void => {
      (Object.getPrototypeOf(context) as { getValue: unknown }).getValue = () => 'poisoned';
    };
    const seen: unknown[] = [];
    const { open, lines } = chainsOf([
      { name: 'a', preRequestHook: poison },
      { name: 'b', preRequestHook: (context) => void seen.push(context.getValue('x')) },
    ]);
    void open().preRequest(request);
    expect(seen).toEqual([undefined]);
    expect(lines.join()).toContain('preRequestHook TypeError');
  });
});

describe('what a plugin throws', () => {
  it('is cut where it is long: it goes to the log and the trace', () => {
    const { open, lines } = chainsOf([
      {
        name: 'a',
        preRequestHook: () => {
          throw new Error('x'.repeat(1_000_000));
        },
      },
    ]);
    const startedAt = performance.now();
    void open().preRequest(request);
    expect(lines[0]?.length).toBeLessThan(9000);
    // To search a long message for the place of the error must not take the thread.
    expect(performance.now() - startedAt).toBeLessThan(2000);
  });
});

describe('a stream of a plugin', () => {
  const delta = { type: 'text-delta', part: 'a', text: 'x'.repeat(1_000_000) } as const;
  const start = (stream: Iterable<StreamEvent>): { events: AsyncIterable<StreamEvent>; lines: readonly string[] } => {
    const { open, lines } = chainsOf([{ name: 'a', preLLMHook: () => ({ stream }) }]);
    const outcome = open().preLLM(request) as { readonly stream: AsyncIterable<StreamEvent> };
    return { events: outcome.stream, lines };
  };

  it('ends with an error where it has no end', async () => {
    const { events, lines } = start(
      (function* endless() {
        for (;;) yield delta;
      })(),
    );
    let last: StreamEvent | undefined;
    let count = 0;
    for await (const event of events) [last, count] = [event, count + 1];
    expect(last).toMatchObject({ type: 'error', error: { code: 'BF_PLUGIN_STREAM_FAILED' } });
    expect(count).toBe(68);
    expect(lines.join()).toContain('it is longer than 67108864 characters');
  });

  it('leaves the loop its turns where the next event is always there', async () => {
    const { events } = start(
      (function* endless() {
        for (;;) yield { ...delta, text: 'x' };
      })(),
    );
    let hasTurned = false;
    setImmediate(() => (hasTurned = true));
    for await (const _event of events) if (hasTurned) break;
    expect(hasTurned).toBe(true);
  });
});
