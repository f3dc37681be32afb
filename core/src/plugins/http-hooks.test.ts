import { describe, expect, it } from 'vitest';
import type { HttpRequest } from '@bifrost/sdk';
import { chainsOf, untyped } from './__tests__/chains-of.ts';
import type { TestPlugin } from './__tests__/chains-of.ts';

const request: HttpRequest = { method: 'POST', path: '/v1/chat/completions', query: {}, headers: { 'x-team': 'red' } };

describe('httpTransportPreHook', () => {
  it('shows each plugin what the ones before it changed, and returns the sum', () => {
    const seen: unknown[] = [];
    const run = chainsOf([
      { name: 'a', httpTransportPreHook: () => ({ request: { headers: { 'X-Team': 'blue', 'x-a': '1' } } }) },
      {
        name: 'b',
        httpTransportPreHook: (_context, shown) => {
          seen.push(shown.headers);
          return { request: { headers: { 'x-a': null, 'x-b': '2' } } };
        },
      },
      { name: 'c', httpTransportPreHook: (_context, shown) => void seen.push(shown.headers) },
    ]).open();
    expect(run.httpPre(request)).toEqual({ headers: { 'x-team': 'blue', 'x-a': null, 'x-b': '2' } });
    expect(seen).toEqual([
      { 'x-team': 'blue', 'x-a': '1' },
      { 'x-team': 'blue', 'x-b': '2' },
    ]);
  });

  it('answers undefined when nobody changed anything', () => {
    expect(
      chainsOf([{ name: 'a', httpTransportPreHook: () => undefined }])
        .open()
        .httpPre(request),
    ).toBeUndefined();
  });

  it('shows the body only to a hook that reads it, whatever the others read', () => {
    const seen: unknown[] = [];
    const { chains, open } = chainsOf([
      { name: 'head', httpTransportPreHook: (_context, shown) => void seen.push(shown.body) },
      {
        name: 'body',
        httpTransportPreHook: {
          reads: 'body',
          handler: (_context, shown) => {
            seen.push(shown.body);
            return { request: { body: 'new' } };
          },
        },
      },
    ]);
    expect(chains.needs).toEqual({ httpPre: 'body' });
    const outcome = open().httpPre({ ...request, body: new Uint8Array([1]) });
    expect(seen).toEqual([undefined, new Uint8Array([1])]);
    expect(outcome).toEqual({ headers: {}, body: new TextEncoder().encode('new') });
  });

  it('shows the next plugin the body that one has changed, and the old one where only headers were', () => {
    const seen: unknown[] = [];
    const reading = (name: string, request: object): TestPlugin => ({
      name,
      httpTransportPreHook: {
        reads: 'body',
        handler: (_context, shown) => (seen.push(shown.body), { request }),
      },
    });
    void chainsOf([reading('a', { headers: { 'x-a': '1' } }), reading('b', { body: 'new' }), reading('c', {})])
      .open()
      .httpPre({ ...request, body: new Uint8Array([1]) });
    expect(seen).toEqual([new Uint8Array([1]), new Uint8Array([1]), new TextEncoder().encode('new')]);
  });

  it('runs the hooks before authentication first, once, also where the host calls them on their own', () => {
    const calls: string[] = [];
    const { open } = chainsOf([
      { name: 'a', httpTransportPreHook: () => void calls.push('pre a') },
      { name: 'b', httpTransportPreAuthHook: () => void calls.push('auth b') },
    ]);
    void open().httpPre(request);
    const run = open();
    void run.httpPreAuth?.(request);
    void run.httpPre(request);
    expect(calls).toEqual(['auth b', 'pre a', 'auth b', 'pre a']);
  });

  it('ends the forward pass at an answer, and runs the post hooks of the plugins reached, the answering one included', () => {
    const calls: string[] = [];
    const post = (name: string) => ({
      httpTransportResponseHeadersHook: () => void calls.push(`headers ${name}`),
      httpTransportStreamChunkHook: () => void calls.push(`chunk ${name}`),
      httpTransportPostHook: () => void calls.push(`post ${name}`),
    });
    const run = chainsOf([
      { name: 'a', ...post('a') },
      {
        name: 'b',
        httpTransportPreHook: () => ({ response: { statusCode: 418, headers: {}, body: 'no' } }),
        ...post('b'),
      },
      { name: 'c', httpTransportPreHook: () => void calls.push('pre c'), ...post('c') },
    ]).open();
    expect(run.httpPre(request)).toEqual({ headers: {}, response: { statusCode: 418, headers: {}, body: 'no' } });
    void run.responseHeaders({ statusCode: 418, headers: {} });
    void run.streamChunk({ data: 'x', index: 0 });
    void run.httpPost({ statusCode: 418, headers: {} });
    expect(calls).toEqual(['headers b', 'headers a', 'chunk b', 'chunk a', 'post b', 'post a']);
  });

  it.each([
    ['a text', 'no', 'it must be an object, got "no"'],
    ['null', null, 'it must be an object, got null'],
    ['an unknown member', { header: {} }, '`header` must be absent (known: request, response)'],
    [
      'a member by half its name',
      { req: {} },
      '`req` must be absent: did you mean request? (known: request, response)',
    ],
    [
      'a header with a line break',
      { request: { headers: { 'x-a': 'b\r\nx-c: d' } } },
      '`request.headers.x-a` must be free of control',
    ],
    [
      'a framing header',
      { request: { headers: { 'Content-Length': '5' } } },
      '`request.headers.Content-Length` must be left out',
    ],
    ['a number as header', { request: { headers: { 'x-a': 5 } } }, '`request.headers.x-a` must be a string, got 5'],
    ['a name with a space', { request: { headers: { 'x a': '5' } } }, '`request.headers.x a` must be a header name'],
    [
      'a status out of range',
      { response: { statusCode: 42, headers: {} } },
      '`response.statusCode` must be an HTTP status',
    ],
    [
      'a body of another kind',
      { request: { body: { a: 1 } } },
      '`request.body` must be a string or a Uint8Array, got an object',
    ],
  ])('keeps the value before it when a plugin returns %s, and names the member', (_what, returned, message) => {
    const { open, lines, chains } = chainsOf([
      { name: 'bad', httpTransportPreHook: untyped<'httpTransportPreHook'>(returned) },
      { name: 'good', httpTransportPreHook: () => ({ request: { headers: { 'x-good': '1' } } }) },
    ]);
    expect(open().httpPre(request)).toEqual({ headers: { 'x-good': '1' } });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('error bad plugin bad: httpTransportPreHook returned a wrong value: ');
    expect(lines[0]).toContain(message);
    expect(chains.figures()[0]?.hooks.httpTransportPreHook).toMatchObject({ calls: 1, errors: 1 });
  });
});

describe('the hooks of the answer', () => {
  it('merges header changes in reverse order, each plugin seeing the ones before it', () => {
    const run = chainsOf([
      {
        name: 'a',
        httpTransportResponseHeadersHook: (_context, head) => ({
          headers: { 'x-seen': String(head.headers['x-b']), 'x-b': null },
        }),
      },
      { name: 'b', httpTransportResponseHeadersHook: () => ({ headers: { 'X-B': '1' } }) },
    ]).open();
    expect(run.responseHeaders({ statusCode: 200, headers: {} })).toEqual({ 'x-b': null, 'x-seen': '1' });
  });

  it('merges status, headers and body of httpTransportPostHook', () => {
    const run = chainsOf([
      {
        name: 'a',
        httpTransportPostHook: {
          reads: 'body',
          handler: (_context, response) => ({ body: `${String(response.body)}!` }),
        },
      },
      { name: 'b', httpTransportPostHook: () => ({ statusCode: 201, headers: { 'x-b': '1' }, body: 'b' }) },
    ]).open();
    expect(run.httpPost({ statusCode: 200, headers: {}, body: 'old' })).toEqual({
      statusCode: 201,
      headers: { 'x-b': '1' },
      body: 'b!',
    });
  });

  it('shows the next httpTransportPostHook what one changed, also where it reads the head alone', () => {
    const seen: unknown[] = [];
    const noting = (name: string, change: object): TestPlugin => ({
      name,
      httpTransportPostHook: (_context, shown) => (seen.push([shown.statusCode, shown.body]), change),
    });
    void chainsOf([noting('b', {}), noting('a', { statusCode: 201 })])
      .open()
      .httpPost({ statusCode: 200, headers: {}, body: 'x' });
    expect(seen).toEqual([
      [200, undefined],
      [201, undefined],
    ]);
  });

  it('changes, drops and ends chunks', () => {
    const { open } = chainsOf([
      {
        name: 'a',
        httpTransportStreamChunkHook: (_context, chunk) => {
          if (chunk.data === 'drop') return null;
          if (chunk.data === 'end') return { error: { statusCode: 400, message: 'stop', origin: 'plugin' } };
          return chunk.data === 'same' ? undefined : { data: `${chunk.data}+a` };
        },
      },
      {
        name: 'b',
        httpTransportStreamChunkHook: (_context, chunk) => (chunk.data === 'x' ? { data: 'x+b' } : undefined),
      },
    ]);
    const run = open();
    const same = { data: 'same', index: 3 };
    expect(run.streamChunk(same)).toBe(same);
    expect(run.streamChunk({ event: 'delta', data: 'x', index: 4 })).toEqual({
      event: 'delta',
      data: 'x+b+a',
      index: 4,
    });
    expect(run.streamChunk({ data: 'drop', index: 5 })).toBeNull();
    expect(run.streamChunk({ data: 'end', index: 6 })).toEqual({
      error: { statusCode: 400, message: 'stop', origin: 'plugin' },
    });
  });
});
