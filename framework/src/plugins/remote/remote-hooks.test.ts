import type { ConversationRequest, ConversationResponse, LLMOutcome, StreamEvent } from '@bifrost/sdk';
import { describe, expect, it } from 'vitest';
import { isolations, remotePlugin, request, trace } from './__tests__/remote-fixture.ts';

const conversation: ConversationRequest = {
  model: 'm',
  stream: false,
  messages: [{ role: 'user', parts: [{ type: 'text', text: 'hello' }] }],
} as unknown as ConversationRequest;
const response = {
  candidates: [{ index: 0, parts: [{ type: 'text', text: 'hi' }] }],
} as unknown as ConversationResponse;

describe.each(isolations)('a plugin in isolation: %s', (isolation) => {
  it('is described with its hooks and their options', async () => {
    await using fixture = await remotePlugin(
      isolation,
      `export default { name: 'guardian', version: '1.2.3', guard: true,
        preLLMHook: { reads: 'messages', timeoutMs: 70, filter: { model: 'gpt-*' }, onError: { disableAfter: 3 }, handler() {} },
        streamEventHook: { chunks: { afterMs: 5 }, holdBack: { characters: 8 }, handler() {} },
        inject: { when: () => false, handler() {} }, postLLMHook() {} }`,
    );
    expect(fixture.plugin.description).toEqual({
      actualName: 'guardian',
      version: '1.2.3',
      isGuard: true,
      hooks: {
        preLLMHook: { reads: 'messages', timeoutMs: 70, filter: { model: 'gpt-*' }, onError: { disableAfter: 3 } },
        streamEventHook: { chunks: { afterMs: 5 }, holdBack: { characters: 8 } },
        postLLMHook: {},
      },
    });
  });

  it('changes HTTP requests and answers, bodies as bytes', async () => {
    await using fixture = await remotePlugin(
      isolation,
      `const text = (bytes) => new TextDecoder().decode(bytes);
       export default { name: 'p',
        httpTransportPreHook: { reads: 'body', handler: (c, r) => ({ request: {
          headers: { 'x-seen': text(r.body), 'x-gone': null }, body: new TextEncoder().encode(text(r.body) + '\\u{1F600}') } }) },
        httpTransportResponseHeadersHook: (c, head) => ({ headers: { 'x-status': String(head.statusCode) } }),
        httpTransportStreamChunkHook: (c, chunk) => chunk.data === 'drop' ? null : { data: chunk.data.toUpperCase() },
        httpTransportPostHook: { reads: 'body', handler: (c, r) => ({ statusCode: 201, body: 'was ' + r.body }) } }`,
    );
    const run = fixture.open();
    const pre = await run.httpPre({
      method: 'POST',
      path: '/',
      query: {},
      headers: { 'x-gone': '1' },
      body: new TextEncoder().encode('body'),
    });
    expect(pre?.headers).toEqual({ 'x-seen': 'body', 'x-gone': null });
    expect(new TextDecoder().decode(pre?.body)).toBe('body\u{1F600}');
    expect(await run.responseHeaders({ statusCode: 207, headers: {} })).toEqual({ 'x-status': '207' });
    expect(await run.streamChunk({ data: 'drop', index: 0 })).toBeNull();
    expect(await run.streamChunk({ data: 'keep', index: 1, event: 'e' })).toEqual({
      data: 'KEEP',
      index: 1,
      event: 'e',
    });
    expect(await run.httpPost({ statusCode: 200, headers: {}, body: 'text' })).toEqual({
      statusCode: 201,
      body: 'was text',
    });
    run.finish(trace);
    expect(fixture.lines).toEqual([]);
  });

  it('answers an HTTP request itself with bytes', async () => {
    await using fixture = await remotePlugin(
      isolation,
      `export default { name: 'p', httpTransportPreHook: () => ({ response: { statusCode: 418, headers: { a: ['1', '2'] }, body: new Uint8Array([0, 255, 10]) } }) }`,
    );
    const run = fixture.open();
    const outcome = await run.httpPre({ method: 'GET', path: '/', query: {}, headers: {} });
    expect(outcome?.response).toEqual({
      statusCode: 418,
      headers: { a: ['1', '2'] },
      body: new Uint8Array([0, 255, 10]),
    });
    run.finish(trace);
  });

  it('routes, changes and answers conversations', async () => {
    await using fixture = await remotePlugin(
      isolation,
      `export default { name: 'p',
        preRequestHook: (c, r) => ({ model: r.model + '-2', fallbacks: ['b/c'] }),
        preLLMHook: { reads: 'messages', handler: (c, r) => {
          if (r.model === 'error') return { error: { statusCode: 402, message: 'no', origin: 'plugin', allowFallbacks: false } };
          if (r.model === 'response') return { response: { candidates: [{ index: 0, parts: [{ type: 'text', text: 'mine' }] }] } };
          return { conversation: { ...r.conversation, messages: [...r.conversation.messages, ...r.conversation.messages] } };
        } },
        postLLMHook: { reads: 'messages', handler: (c, o) => o.error ? { response: { candidates: [] } } : { response: o.response } } }`,
    );
    const run = fixture.open();
    expect(await run.preRequest(request)).toEqual({ model: 'm-2', fallbacks: ['b/c'] });
    const changed = await run.preLLM({ ...request, conversation });
    expect(changed?.conversation?.messages).toHaveLength(2);
    expect(await run.preLLM({ ...request, model: 'error' })).toMatchObject({
      error: { statusCode: 402, allowFallbacks: false },
    });
    expect(await run.preLLM({ ...request, model: 'response' })).toMatchObject({
      response: { candidates: [{ parts: [{ text: 'mine' }] }] },
    });
    const outcome: LLMOutcome = { request, statusCode: 200, latencyMs: 1, response };
    // The same object: what is unchanged keeps its identity, by which the gateway leaves its bytes alone.
    expect((await run.postLLM(outcome))?.response).toBe(response);
    run.finish(trace);
    expect(fixture.lines).toEqual([]);
  });

  it('sees stream events one by one, drops, multiplies, and leaves them the same', async () => {
    await using fixture = await remotePlugin(
      isolation,
      `export default { name: 'p', streamEventHook: (c, e) => {
        if (e.text === 'drop') return [];
        if (e.text === 'twice') return [e, { ...e, text: 'again' }];
        if (e.text === 'same') return [e];
      } }`,
    );
    const run = fixture.open({ isStream: true });
    const delta = (text: string): StreamEvent => ({ type: 'text-delta', part: 'a', text });
    const hooks = run.openStream({ request, startedAt: 0, onDue: () => undefined });
    const pass = async (event: StreamEvent): Promise<{ out: StreamEvent[]; isChanged: boolean }> => {
      const track = { pending: 0, isChanged: false, out: [] };
      await hooks?.push(track, [event]);
      return track;
    };
    expect(await pass(delta('drop'))).toMatchObject({ out: [], isChanged: true });
    const twice = delta('twice');
    const { out } = await pass(twice);
    expect(out).toEqual([twice, delta('again')]);
    expect(out[0]).toBe(twice);
    for (const text of ['same', 'other']) {
      const event = delta(text);
      const { out: left, isChanged } = await pass(event);
      expect({ isSame: left[0] === event, isChanged }).toEqual({ isSame: true, isChanged: false });
    }
    await hooks?.end();
    run.finish(trace);
  });

  it('answers with a stream, one event for each that is asked for, and cleans up when nobody wants more', async () => {
    await using fixture = await remotePlugin(
      isolation,
      `export default { name: 'p', preLLMHook: (c, r) => ({ stream: (async function* () {
        try {
          for (let i = 0; ; i += 1) {
            c.log.info('made ' + i);
            yield { type: 'text-delta', part: 'a', text: String(i) };
            if (r.model === 'breaks') throw new Error('broke off');
            if (i === 2 && r.model === 'short') return;
          }
        } finally { c.log.info('closed ' + r.model); }
      })() }) }`,
    );
    const run = fixture.open({ isStream: true });
    const collect = async (model: string, count = 10): Promise<StreamEvent[]> => {
      const outcome = await run.preLLM({ ...request, model });
      const events: StreamEvent[] = [];
      for await (const event of outcome?.stream ?? []) if (events.push(event) === count) break;
      return events;
    };
    expect(await collect('short')).toMatchObject([{ text: '0' }, { text: '1' }, { text: '2' }]);
    expect(await collect('breaks')).toMatchObject([
      { text: '0' },
      { type: 'error', error: { code: 'BF_PLUGIN_STREAM_FAILED' } },
    ]);
    // Its lines come by themselves, not before its events.
    await expect.poll(() => fixture.lines).toContain('info closed breaks');
    fixture.lines.length = 0;
    expect(await collect('endless', 2)).toHaveLength(2);
    await expect.poll(() => fixture.lines).toEqual(['info made 0', 'info made 1', 'info closed endless']);
    // A stream that nobody reads to its end ends with the request.
    const stream = (await run.preLLM({ ...request, model: 'left' }))?.stream as AsyncIterable<StreamEvent>;
    await stream[Symbol.asyncIterator]().next();
    run.finish(trace);
    await expect.poll(() => fixture.lines).toContain('info closed left');
  });

  it('calls `inject` with the trace, and forgets the request after it', async () => {
    await using fixture = await remotePlugin(
      isolation,
      `export default { name: 'p', preRequestHook(c) { c.state.set('n', 1); },
        inject(c, t) { c.log.info('trace ' + t.statusCode + ' ' + c.state.get('n') + ' ' + c.facts.requestId); } }`,
    );
    const run = fixture.open();
    await run.preRequest(request);
    run.finish(trace);
    await fixture.chains.whenIdle();
    await expect.poll(() => fixture.lines).toEqual(['info trace 200 1 request-1']);
  });
});
