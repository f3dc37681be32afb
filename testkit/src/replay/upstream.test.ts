import { gunzipSync } from 'node:zlib';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { parseSse } from '@bifrost/core';
import { recordedBytes, recordingsOf } from '../recordings.ts';
import type { Recording } from '../recordings.ts';
import type { ReplayAnswer } from './answer.ts';
import { getFreePort, openPost, postJson, readSse } from './client.ts';
import type { Delivery } from './delivery.ts';
import { startReplayUpstream } from './upstream.ts';
import { splitEvents } from './wire-events.ts';

const pick = (provider: string, api: string, isStream: boolean): Recording => {
  const found = recordingsOf(provider).find(
    (one) => one.api === api && one.stream === isStream && one.request !== null,
  );
  if (found === undefined) throw new Error(`no ${api} of ${provider}`);
  return found;
};
const stream = pick('openai', 'openai.chat_completions', true);
const claude = pick('anthropic', 'anthropic.messages', true);
const whole = pick('openai', 'openai.chat_completions', false);
const streamBytes = recordedBytes(stream.response);
const streamEvents = splitEvents(streamBytes, 'sse');
const path = '/v1/chat/completions';

describe('which answer a request gets', () => {
  it('takes the script in order, then the recording of the same method, path and model', async () => {
    await using upstream = await startReplayUpstream({ script: [claude.id, { recording: whole.id }] });
    const body = whole.request?.body as { model: string };
    expect((await postJson(upstream.url + path, {})).text()).toBe(recordedBytes(claude.response).toString());
    expect((await postJson(upstream.url + path, {})).json()).toEqual(whole.response.body);
    expect(upstream.remainingScript).toBe(0);
    const matched = await postJson(upstream.url + path, body);
    expect(matched.json()).toEqual(whole.response.body);
    expect(upstream.requests.map((one) => one.answeredBy)).toEqual([claude.id, whole.id, whole.id]);
  });

  it('finds a recording by header, by model name, and by the model in a Gemini path', async () => {
    await using upstream = await startReplayUpstream();
    const gemini = pick('gemini', 'google.generate_content', false);
    const byHeader = await postJson(upstream.url + path, {}, { 'x-replay-id': whole.id });
    expect(byHeader.json()).toEqual(whole.response.body);
    expect((await postJson(upstream.url + path, { model: `replay:${whole.id}` })).json()).toEqual(whole.response.body);
    const named = `/v1beta/models/${encodeURIComponent(`replay:${gemini.id}`)}:generateContent`;
    expect((await postJson(upstream.url + named, {})).json()).toEqual(gemini.response.body);
    const own = await postJson(upstream.url + String(gemini.request?.path), gemini.request?.body as { model: string });
    expect(own.json()).toEqual(gemini.response.body);
  });

  it('answers in its place only where the condition of an entry holds, as often as it says', async () => {
    const onlyB: ReplayAnswer = { body: { for: 'b' }, when: (request) => request.json()['model'] === 'b', times: 2 };
    await using upstream = await startReplayUpstream({ script: [onlyB, () => ({ status: 503 })] });
    expect((await postJson(upstream.url + path, { model: 'a' })).status).toBe(503);
    expect((await postJson(upstream.url + path, { model: 'b' })).json()).toEqual({ for: 'b' });
    expect((await postJson(upstream.url + path, { model: 'b' })).json()).toEqual({ for: 'b' });
  });

  it('says what it missed, in the dialect of the path, and counts it', async () => {
    await using upstream = await startReplayUpstream();
    const missing = await postJson(`${upstream.url}/v1/messages`, { model: 'nobody' });
    expect(missing.status).toBe(404);
    expect(missing.json()).toMatchObject({ type: 'error', error: { type: 'not_found_error' } });
    const unknown = await postJson(upstream.url + path, { model: 'replay:openai/none' });
    expect(unknown.text()).toContain('no recording has the id openai/none');
    expect(upstream.unmatched).toHaveLength(2);
  });
});

describe('what is recorded of a request', () => {
  it('keeps the bytes, the header spelling and the connection', async () => {
    await using upstream = await startReplayUpstream({ otherwise: { body: {} } });
    const odd = '{ "model":"a\\u0062c" , "n":1.0,"n":12345678901234567890 }';
    await postJson(`${upstream.url}/v1/x?alt=sse`, odd, { 'X-Odd-Case': '1', 'x-two': ['a', 'b'] });
    await postJson(`${upstream.url}/v1/y`, Buffer.from([0xff, 0x00]));
    const [first, second] = upstream.requests;
    expect(first?.body.toString()).toBe(odd);
    expect(first?.path).toBe('/v1/x?alt=sse');
    expect(first?.headerPairs).toContainEqual(['X-Odd-Case', '1']);
    expect(first?.headerPairs.filter(([name]) => name === 'x-two')).toHaveLength(2);
    expect([...(second?.body ?? [])]).toEqual([0xff, 0x00]);
    expect([first?.connection, second?.connection, upstream.connectionCount]).toEqual([1, 2, 2]);
    expect(await first?.closed).toBeGreaterThanOrEqual(first?.finishedAt ?? Infinity);
    expect(first?.isAborted).toBe(false);
  });

  it('sees a client that goes away while nothing is answered', async () => {
    await using upstream = await startReplayUpstream({ delivery: { hangBeforeHeaders: true } });
    const controller = new AbortController();
    const call = postJson(upstream.url + path, { model: 'x' }, {}, { signal: controller.signal });
    const request = await upstream.request(0);
    expect(await request.received).toBe(true);
    controller.abort();
    await expect(call).rejects.toThrow(/abort/i);
    await request.closed;
    expect(request.isAborted).toBe(true);
  });

  it('sees a client that goes away inside its own body', async () => {
    await using upstream = await startReplayUpstream();
    const { port } = new URL(upstream.url);
    const socket = connect(Number(port), '127.0.0.1');
    socket.write('POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{"mo');
    const request = await upstream.request(0);
    socket.destroy();
    expect(await request.received).toBe(false);
    await request.closed;
    expect(request.body.toString()).toBe('{"mo');
  });
});

describe('deliveries', () => {
  const play = async (delivery: Delivery, script: ReplayAnswer = { recording: stream }) => {
    await using upstream = await startReplayUpstream({ script: [{ ...script, delivery }] });
    const result = await postJson(upstream.url + path, { model: 'm' });
    return { result, request: upstream.requests[0] };
  };

  it.each(['whole', 'lines', 'events', 'bytes', { chunks: 5 }] as const)(
    'sends the same bytes cut by %j',
    async (cut) => {
      const { result, request } = await play({ cut });
      expect(result.body.equals(streamBytes)).toBe(true);
      expect(result.isComplete).toBe(true);
      expect(result.headers['content-type']).toContain('text/event-stream');
      const counts = { whole: 1, lines: String(streamBytes).split('\n').length - 1, events: streamEvents.length };
      if (typeof cut === 'string' && cut !== 'bytes') expect(request?.writesSent).toBe(counts[cut]);
      else expect(request?.writesSent).toBe(cut === 'bytes' ? streamBytes.length : 5);
    },
  );

  it('waits before headers and between writes', async () => {
    const { result } = await play({ cut: { chunks: 3 }, delayBeforeHeadersMs: 30, delayBetweenWritesMs: 20 });
    expect(result.headersAfterMs).toBeGreaterThanOrEqual(28);
    expect(result.endAfterMs).toBeGreaterThanOrEqual(66);
  });

  it('dies after so many bytes, or in the middle of an event', async () => {
    const byBytes = await play({ dieAfterBytes: 100 });
    expect(byBytes.result.isComplete).toBe(false);
    expect(byBytes.result.body.length).toBe(100);
    const byEvents = await play({ dieAfterEvents: 2 });
    expect(byEvents.result.isComplete).toBe(false);
    expect(splitEvents(byEvents.result.body, 'sse')).toHaveLength(3);
    expect(byEvents.result.body.length).toBeGreaterThan(Buffer.concat(streamEvents.slice(0, 2)).length);
    expect(byEvents.request?.isAborted).toBe(false);
    const json = await play({ dieAfterBytes: 10 }, { recording: whole });
    expect(json.result.isComplete).toBe(false);
  });

  it('ends cleanly without a terminal event, puts comments in, compresses', async () => {
    const { result } = await play({ endAfterEvents: 3, commentEveryEvents: 1 });
    expect(result.isComplete).toBe(true);
    expect(parseSse(result.body)).toEqual(parseSse(Buffer.concat(streamEvents.slice(0, 3))));
    expect(result.text().match(/^: keep-alive$/gm)).toHaveLength(3);
    await using upstream = await startReplayUpstream({ delivery: { gzip: true, cut: 'events' }, script: [stream.id] });
    const packed = await postJson(upstream.url + path, {}, { 'accept-encoding': 'gzip' });
    expect(packed.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(packed.body).equals(streamBytes)).toBe(true);
  });

  it.each([{ hangAfterHeaders: true }, { hangAfterEvents: 2 }])('hangs: %j', async (delivery) => {
    await using upstream = await startReplayUpstream({ script: [{ recording: stream, delivery }] });
    const { call, response } = await openPost(upstream.url + path, {});
    expect(response.statusCode).toBe(200);
    if ('hangAfterEvents' in delivery) {
      const events = readSse(response);
      expect((await events.next()).value?.data).toBe(parseSse(streamBytes)[0]?.data);
      expect((await events.next()).value?.data).toBe(parseSse(streamBytes)[1]?.data);
    }
    expect(upstream.requests[0]?.closedAt).toBeUndefined();
    response.on('error', () => undefined);
    call.destroy();
    await upstream.requests[0]?.closed;
    expect(upstream.requests[0]?.isAborted).toBe(true);
  });

  it('resets the connection', async () => {
    await expect(play({ refuse: true })).rejects.toMatchObject({ code: 'ECONNRESET' });
    const port = await getFreePort();
    await expect(postJson(`http://127.0.0.1:${port}/`, {})).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('answers with a status in the shape of the dialect, with Retry-After in both forms', async () => {
    const at = new Date('2026-11-21T08:00:00Z');
    await using upstream = await startReplayUpstream({
      script: [{ status: 429, retryAfter: 2 }, { recording: claude, status: 529, retryAfter: at }, { status: 500 }],
    });
    const limited = await postJson(upstream.url + path, {});
    expect([limited.status, limited.headers['retry-after']]).toEqual([429, '2']);
    expect(limited.json()).toMatchObject({ error: { code: 'rate_limit_exceeded' } });
    const overloaded = await postJson(upstream.url + path, {});
    expect([overloaded.status, overloaded.headers['retry-after']]).toEqual([529, 'Sat, 21 Nov 2026 08:00:00 GMT']);
    expect(overloaded.headers['content-type']).toBe('application/json');
    expect(overloaded.json()).toMatchObject({ type: 'error', error: { type: 'overloaded_error' } });
    const gemini = await postJson(`${upstream.url}/v1beta/models/x:generateContent`, {});
    expect(gemini.json()).toMatchObject({ error: { code: 500, status: 'INTERNAL' } });
  });

  it('puts an error event of the dialect in place of the n-th event of a 200', async () => {
    for (const at of [1, 2, 5]) {
      const { result } = await play({ errorAtEvent: at }, { recording: claude });
      const events = result.events();
      expect([result.status, result.isComplete, events.length]).toEqual([200, true, at]);
      expect(events.at(-1)).toMatchObject({ event: 'error' });
      expect(JSON.parse(events.at(-1)?.data ?? '')).toMatchObject({ error: { type: 'overloaded_error' } });
    }
  });
});

describe('the client', () => {
  it('goes away after so many bytes or events', async () => {
    await using upstream = await startReplayUpstream({
      delivery: { cut: 'events', delayBetweenWritesMs: 1 },
      script: [stream.id, stream.id],
    });
    const byEvents = await postJson(upstream.url + path, {}, {}, { abortAfterEvents: 2 });
    expect([byEvents.isComplete, byEvents.events().length >= 2]).toEqual([false, true]);
    const byBytes = await postJson(upstream.url + path, {}, {}, { abortAfterBytes: 0 });
    expect([byBytes.isComplete, byBytes.body.length]).toEqual([false, 0]);
    await Promise.all(upstream.requests.map((one) => one.closed));
    expect(upstream.requests.every((one) => one.isAborted)).toBe(true);
  });

  it('reads slowly, which slows the upstream down', async () => {
    const body = Buffer.alloc(20 * 1024 * 1024, 'x');
    await using upstream = await startReplayUpstream({ script: [{ body, delivery: { chunks: 320 } }] });
    const { response } = await openPost(upstream.url + path, {});
    const request = await upstream.request(0);
    let last = -1;
    while (request.bytesSent !== last) {
      last = request.bytesSent;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(last).toBeLessThan(body.length);
    response.resume();
    await new Promise((resolve) => response.on('end', resolve));
    expect(request.bytesSent).toBe(body.length);
  });
});
