/** What the Responses API keeps or seals returns to the key that made it. */
import type { JsonObject } from '@bifrost/sdk';
import { startStatefulUpstream } from '@bifrost/testkit';
import type { ReplayRequest, StatefulUpstream } from '@bifrost/testkit';
import { describe, expect, it } from 'vitest';
import { createStateMakersBuffer } from '../reliability/state-makers.ts';
import type { FakeSink } from './__tests__/fake-sink.ts';
import { key, provider, routes, TestGateway } from './__tests__/harness.ts';

const keys = [key('a'), key('b'), key('c')];
const gatewayAt = (upstream: StatefulUpstream, stateMakers?: SharedArrayBuffer): TestGateway =>
  new TestGateway({
    providers: [provider('openai', upstream.url, { keys, network: { maxRetries: 2 } })],
    ...(stateMakers === undefined ? {} : { stateMakers }),
  });

const ask = { model: 'openai/keeping-model', input: 'hi' };
const responseOf = (sink: FakeSink, isStream: boolean): JsonObject =>
  isStream
    ? ((JSON.parse(sink.text.trim().split('\ndata: ').at(-1) ?? '') as JsonObject)['response'] as JsonObject)
    : sink.json;
interface Message {
  readonly content: readonly { readonly text: string }[];
}
const makerOf = (response: JsonObject): unknown =>
  (response['output'] as unknown as readonly Message[]).at(-1)?.content[0]?.text;

interface Completion {
  readonly choices: readonly [{ readonly message: JsonObject }];
}
const messageOf = (sink: FakeSink): JsonObject => (sink.json as unknown as Completion).choices[0].message;

describe.each([false, true])('a conversation (stream: %s)', (stream) => {
  it('is continued with the key that made it, at once, over many turns', async () => {
    await using upstream = await startStatefulUpstream();
    await using gateway = gatewayAt(upstream);
    for (let conversation = 0; conversation < 10; conversation += 1) {
      let response = responseOf(await gateway.post(routes.responses, { ...ask, stream }), stream);
      const maker = makerOf(response);
      for (let turn = 0; turn < 4; turn += 1) {
        const body = { ...ask, stream, previous_response_id: response['id'] };
        response = responseOf(await gateway.post(routes.responses, body), stream);
        expect(makerOf(response)).toBe(maker);
      }
    }
    expect(upstream.requests).toHaveLength(50);
  });

  it('finds its maker again in another process, which asks the keys in turn', async () => {
    await using upstream = await startStatefulUpstream();
    await using first = gatewayAt(upstream);
    for (let conversation = 0; conversation < 10; conversation += 1) {
      const made = responseOf(await first.post(routes.responses, { ...ask, stream }), stream);
      await using other = gatewayAt(upstream);
      const body = { ...ask, stream, previous_response_id: made['id'] };
      const asked = upstream.requests.length;
      const sink = await other.post(routes.responses, body);
      expect(sink.statusCode).toBe(200);
      expect(makerOf(responseOf(sink, stream))).toBe(makerOf(made));
      expect(upstream.requests.length - asked).toBeLessThanOrEqual(keys.length);
      // From then on it is remembered there, too.
      const before = upstream.requests.length;
      await other.post(routes.responses, body);
      expect(upstream.requests.length - before).toBe(1);
    }
  });

  it('that the client keeps itself goes back to who sealed its reasoning', async () => {
    await using upstream = await startStatefulUpstream();
    await using gateway = gatewayAt(upstream);
    await using other = gatewayAt(upstream);
    for (let conversation = 0; conversation < 10; conversation += 1) {
      const first = { ...ask, stream, store: false, include: ['reasoning.encrypted_content'] };
      const made = responseOf(await gateway.post(routes.responses, first), stream);
      const input = [...(made['output'] as JsonObject[]), { role: 'user', content: 'and then?' }];
      const asked = upstream.requests.length;
      const next = responseOf(await gateway.post(routes.responses, { ...first, input }), stream);
      expect(makerOf(next)).toBe(makerOf(made));
      expect(upstream.requests.length - asked).toBe(1);
      expect(makerOf(responseOf(await other.post(routes.responses, { ...first, input }), stream))).toBe(makerOf(made));
    }
  });
});

describe('where the maker cannot serve', () => {
  async function made(upstream: StatefulUpstream, gateway: TestGateway): Promise<{ maker: string; body: JsonObject }> {
    const id = (await gateway.post(routes.responses, ask)).json['id'] as string;
    return { maker: upstream.makerOf(id) ?? '', body: { ...ask, previous_response_id: id } };
  }

  it('because of its limits, it is asked again, and no other key', async () => {
    let failing = '';
    let left = 2;
    await using upstream = await startStatefulUpstream((_request, asked) => {
      if (asked !== failing || left === 0) return undefined;
      left -= 1;
      return { status: 429 };
    });
    await using gateway = gatewayAt(upstream);
    const { maker, body } = await made(upstream, gateway);
    failing = maker;
    const sink = await gateway.post(routes.responses, body);
    expect(sink.statusCode).toBe(200);
    expect(upstream.keysAsked).toEqual([maker, maker, maker, maker]);
  });

  it('because it is refused, that is said, and not that nothing was found', async () => {
    let failing = '';
    const refusals = (_request: unknown, asked: string) => (asked === failing ? { status: 401 } : undefined);
    await using upstream = await startStatefulUpstream(refusals);
    await using gateway = gatewayAt(upstream);
    const { maker, body } = await made(upstream, gateway);
    failing = maker;
    const known = await gateway.post(routes.responses, body);
    expect(known.statusCode).toBe(502);
    expect(known.text).toContain('which alone has what this request continues');
    await using other = gatewayAt(upstream);
    const unknown = await other.post(routes.responses, body);
    expect(unknown.statusCode).toBe(502);
    expect(unknown.text).toContain('upstream_credentials_exhausted');
  });

  it('because it was taken away, the caller hears so in its dialect', async () => {
    await using upstream = await startStatefulUpstream();
    await using gateway = gatewayAt(upstream);
    const { maker, body } = await made(upstream, gateway);
    const left = keys.filter(({ value }) => value !== maker);
    gateway.configure({ providers: [provider('openai', upstream.url, { keys: left })] });
    const sink = await gateway.post(routes.responses, body);
    expect(sink.statusCode).toBe(400);
    expect(sink.json['error']).toMatchObject({
      code: 'previous_response_not_found',
      param: 'previous_response_id',
      message: expect.stringMatching(
        /^none of the 2 keys of the provider openai has what this request continues/,
      ) as string,
    });
  });

  it('because another provider is it, a fallback to that one is answered', async () => {
    await using upstream = await startStatefulUpstream();
    const openai = provider('openai', upstream.url, { keys: [key('a'), key('b')] });
    const groq = provider('groq', upstream.url, { keys: [key('c'), key('d')] });
    await using gateway = new TestGateway({ providers: [openai, groq] });
    const first = (await gateway.post(routes.responses, { ...ask, model: 'groq/keeping-model' })).json;
    const body = { ...ask, fallbacks: ['groq/keeping-model'], previous_response_id: first['id'] };
    const sink = await gateway.post(routes.responses, body);
    expect(sink.statusCode).toBe(200);
    expect(makerOf(sink.json)).toBe(makerOf(first));
  });
});

describe('a provider of another dialect', () => {
  it.each([{ previous_response_id: 'resp_1' }, { conversation: { id: 'conv_1' } }, { prompt: { id: 'pmpt_1' } }])(
    'is not asked to continue what it does not have: %o',
    async (continued) => {
      await using upstream = await startStatefulUpstream();
      await using gateway = new TestGateway({ providers: [provider('anthropic', upstream.url)] });
      const sink = await gateway.post(routes.responses, { ...ask, model: 'anthropic/claude', ...continued });
      expect(sink.statusCode).toBe(400);
      expect(sink.json['error']).toMatchObject({
        param: Object.keys(continued)[0],
        code: 'BF_REQUEST_STATE_ELSEWHERE',
      });
      expect(upstream.requests).toHaveLength(0);
    },
  );
});

describe('a client of another dialect', () => {
  it('whose reasoning the gateway carries is answered by who sealed it', async () => {
    await using upstream = await startStatefulUpstream();
    const responsesAlone = { keys, allowedRequests: ['responses'] };
    await using gateway = new TestGateway({ providers: [provider('openai', upstream.url, responsesAlone)] });
    const user = { role: 'user', content: 'hi' };
    for (let conversation = 0; conversation < 10; conversation += 1) {
      const first = await gateway.post(routes.chat, { model: 'openai/keeping-model', messages: [user] });
      const message = messageOf(first);
      expect(message['reasoning_details']).toHaveLength(1);
      const sink = await gateway.post(routes.chat, { model: 'openai/keeping-model', messages: [user, message, user] });
      expect(messageOf(sink)['content']).toBe(message['content']);
      const { input } = (upstream.requests.at(-1) as ReplayRequest).json();
      const sealed = (input as JsonObject[]).map((item) => item['encrypted_content']);
      expect(sealed.filter(Boolean)).toHaveLength(1);
    }
  });
});

describe('threads of one process', () => {
  it('share what they remember', async () => {
    await using upstream = await startStatefulUpstream();
    const memory = createStateMakersBuffer();
    await using one = gatewayAt(upstream, memory);
    await using two = gatewayAt(upstream, memory);
    for (let conversation = 0; conversation < 10; conversation += 1) {
      const id = (await one.post(routes.responses, ask)).json['id'];
      expect((await two.post(routes.responses, { ...ask, previous_response_id: id })).statusCode).toBe(200);
    }
    expect(upstream.requests).toHaveLength(20);
  });
});
