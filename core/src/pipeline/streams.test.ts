import { recordedBytes, recordingsOfApi, startReplayUpstream } from '@bifrost/testkit';
import type { ReplayAnswer } from '@bifrost/testkit';
import { describe, expect, it } from 'vitest';
import { parseSse } from '../sse/parser.ts';
import { provider, routes, TestGateway } from './__tests__/harness.ts';

const recording = recordingsOfApi('anthropic.messages').find(
  (one) => one.stream && one.request !== null && one.response.status === 200,
) as NonNullable<ReturnType<typeof recordingsOfApi>[number]>;
const bytes = recordedBytes(recording.response);
const answer = (more: ReplayAnswer = {}): ReplayAnswer => ({ recording, ...more });
const ask = { model: 'claude', stream: true, max_tokens: 10, messages: [] };
const ok: ReplayAnswer = { recording };

const events = (text: string) => parseSse(text).map((event) => (JSON.parse(event.data) as { type: string }).type);

describe('a stream of the same dialect', () => {
  it('reaches the client byte for byte, however it is cut', async () => {
    const cuts = ['whole', 'events', 'lines', 'bytes', { chunks: 7 }] as const;
    await using upstream = await startReplayUpstream({ script: cuts.map((cut) => answer({ delivery: cut })) });
    await using gateway = new TestGateway({ providers: [provider('anthropic', upstream.url)] });
    for (const cut of cuts) {
      const sink = await gateway.post(routes.anthropic, ask);
      expect(sink.text, JSON.stringify(cut)).toBe(bytes.toString());
      expect(sink.isEnded).toBe(true);
      expect(String(sink.headers['content-type'])).toContain('text/event-stream');
      expect(sink.headers['x-bf-lane']).toBe('identical');
    }
    expect(gateway.traces.every((trace) => (trace.usage?.outputTokens ?? 0) > 0)).toBe(true);
    expect(new Set(gateway.traces.map((trace) => JSON.stringify(trace.usage))).size).toBe(1);
  });

  it('writes nothing before the first content', async () => {
    await using upstream = await startReplayUpstream({ script: [answer({ delivery: { hangAfterEvents: 1 } })] });
    await using gateway = new TestGateway({
      providers: [provider('anthropic', upstream.url, { network: { firstContentTimeoutMs: 60 } })],
    });
    const sink = await gateway.post(routes.anthropic, ask);
    expect(sink.statusCode).toBe(504);
    expect(sink.json['type']).toBe('error');
  });

  it('falls back when the first event is an error inside a 200, and when one comes after lifecycle events', async () => {
    for (const errorAtEvent of [1, 2]) {
      await using upstream = await startReplayUpstream({ script: [answer({ delivery: { errorAtEvent } }), ok] });
      await using gateway = new TestGateway({ providers: [provider('anthropic', upstream.url)] });
      const sink = await gateway.post(routes.anthropic, { ...ask, fallbacks: ['anthropic/other'] });
      expect(sink.statusCode).toBe(200);
      expect(sink.text).toBe(bytes.toString());
      expect(sink.headers['x-bf-is-fallback']).toBe('true');
      expect(gateway.traces[0]?.attempts.map((one) => one.failure)).toEqual(['transient', undefined]);
    }
  });

  it('passes an error event after the content on and ends', async () => {
    await using upstream = await startReplayUpstream({ script: [answer({ delivery: { errorAtEvent: 5 } })] });
    await using gateway = new TestGateway({ providers: [provider('anthropic', upstream.url)] });
    const sink = await gateway.post(routes.anthropic, ask);
    expect(sink.statusCode).toBe(200);
    expect(events(sink.text).at(-1)).toBe('error');
    expect(sink.isEnded).toBe(true);
    expect(gateway.traces[0]?.error?.origin).toBe('provider');
  });

  it('ends with a typed error when the provider dies in an event or ends too early', async () => {
    for (const delivery of [{ dieAfterEvents: 5 }, { endAfterEvents: 5 }]) {
      await using upstream = await startReplayUpstream({ script: [answer({ delivery })] });
      await using gateway = new TestGateway({ providers: [provider('anthropic', upstream.url)] });
      const sink = await gateway.post(routes.anthropic, ask);
      const types = events(sink.text);
      expect(types.at(-1), JSON.stringify(delivery)).toBe('error');
      expect(types).not.toContain('message_stop');
      expect(gateway.traces[0]?.error?.code).toMatch(/BF_(STREAM|UPSTREAM)_TRUNCATED/);
    }
  });

  it('ends with a typed error when the provider goes silent', async () => {
    await using upstream = await startReplayUpstream({ script: [answer({ delivery: { hangAfterEvents: 5 } })] });
    await using gateway = new TestGateway({
      providers: [provider('anthropic', upstream.url, { network: { streamIdleTimeoutMs: 60 } })],
    });
    const sink = await gateway.post(routes.anthropic, ask);
    expect(events(sink.text).at(-1)).toBe('error');
    const request = await upstream.request(0);
    await request.closed;
    expect(request.isAborted).toBe(true);
  });

  it('keeps a silent stream alive with comments, and still falls back before the first content', async () => {
    await using upstream = await startReplayUpstream({
      script: [answer({ delivery: { hangBeforeHeaders: true } }), answer({ delivery: { hangAfterEvents: 1 } }), ok],
    });
    await using gateway = new TestGateway({
      providers: [provider('anthropic', upstream.url, { network: { firstContentTimeoutMs: 120 } })],
      client: { keepAliveCommentSeconds: 0.04 },
    });
    const sink = await gateway.post(routes.anthropic, { ...ask, fallbacks: ['anthropic/b', 'anthropic/c'] });
    expect(sink.statusCode).toBe(200);
    expect(sink.text.startsWith(': keep-alive\n\n')).toBe(true);
    expect(sink.text.replaceAll(': keep-alive\n\n', '')).toBe(bytes.toString());
  });
});

describe('a client', () => {
  it('that goes away ends the upstream call at once, at any moment', async () => {
    const moments = [
      { hangBeforeHeaders: true },
      { hangAfterHeaders: true },
      { hangAfterEvents: 1 },
      { hangAfterEvents: 5 },
    ];
    const abortMs = async (delivery: (typeof moments)[number]): Promise<number> => {
      await using upstream = await startReplayUpstream({ script: [answer({ delivery })] });
      await using gateway = new TestGateway({ providers: [provider('anthropic', upstream.url)] });
      const { sink, done } = gateway.open(routes.anthropic, ask);
      const request = await upstream.request(0);
      await request.received;
      await new Promise((resolve) => setTimeout(resolve, 15));
      const left = Date.now();
      sink.close();
      await done;
      const closedAt = await request.closed;
      expect(upstream.requests.length).toBe(1);
      expect(gateway.traces[0]?.statusCode).toBe(499);
      return closedAt - left;
    };
    for (const delivery of moments) {
      // A busy machine may stall this very process: the best of three tells what the gateway takes.
      let best = await abortMs(delivery);
      for (let tries = 1; best >= 100 && tries < 3; tries++) best = Math.min(best, await abortMs(delivery));
      expect(best).toBeLessThan(100);
    }
  });

  it('that reads slowly pauses the provider, and loses nothing', async () => {
    const text = 'x'.repeat(60_000);
    const delta = {
      event: 'content_block_delta',
      data: JSON.stringify({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } }),
    };
    const stop = { event: 'message_stop', data: '{"type":"message_stop"}' };
    const long = [...Array.from({ length: 400 }, () => delta), stop];
    await using upstream = await startReplayUpstream({ script: [{ events: long, delivery: 'events' }] });
    // Paused for longer than the idle clock: that silence is the client's, not the provider's.
    const network = { streamIdleTimeoutMs: 500 };
    await using gateway = new TestGateway({ providers: [provider('anthropic', upstream.url, { network })] });
    const { sink, done } = gateway.open(routes.anthropic, ask);
    let isBlocked = true;
    sink.onWrite = () => !isBlocked;
    const request = await upstream.request(0);
    await new Promise((resolve) => setTimeout(resolve, 900));
    expect(request.writesSent).toBeLessThan(390);
    isBlocked = false;
    sink.drain();
    await done;
    expect(events(sink.text).length).toBe(401);
    expect(gateway.traces[0]?.error).toBeUndefined();
  });
});
