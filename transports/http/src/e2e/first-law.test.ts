/**
 * The first law over every recording: on the identical lane the provider receives the client's very bytes, on the spliced lane all bytes
 * but those of the named fields; and the client receives the provider's very bytes. The recordings' bodies are sent oddly formatted, so
 * that a gateway which parses and prints again cannot pass.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { JsonObject } from '@bifrost/sdk';
import { postJson, recordedBytes, recordingsOfApi, startReplayUpstream } from '@bifrost/testkit';
import type { PostResult, Recording, ReplayUpstream } from '@bifrost/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGatewayProcess } from './gateway-process.ts';
import type { GatewayProcess } from './gateway-process.ts';
import { OddJsonWriter } from './odd-json.ts';

const key = { name: 'test', value: 'sk-upstream', models: ['*'], weight: 1 };
const names = ['openai', 'anthropic', 'gemini'];

const dialects = [
  {
    api: 'openai.chat_completions',
    provider: 'openai',
    identical: '/openai/v1/chat/completions',
    spliced: '/v1/chat/completions',
  },
  { api: 'openai.responses', provider: 'openai', identical: '/openai/v1/responses', spliced: '/v1/responses' },
  {
    api: 'anthropic.messages',
    provider: 'anthropic',
    identical: '/anthropic/v1/messages',
    spliced: '/anthropic/v1/messages',
  },
];

const recordingsOf = (...apis: string[]): readonly Recording[] =>
  recordingsOfApi(...apis).filter(
    (one) =>
      one.request?.body_encoding === 'json' && one.response.status === 200 && one.response.body_encoding !== 'base64',
  );

/** Members that every provider would refuse or ignore, and that only a byte-exact gateway can keep. */
const oddities =
  '"x_big" : 123456789012345678901234567890, "x_float":1.0,"x_twice":1,"x_twice" : 2.50, "x\\u005fescaped":"\\u00e9\\/"';

interface Sent {
  readonly text: string;
  /** The body's text around the model's value. */
  readonly before: string;
  readonly after: string;
}

function oddBody(body: JsonObject, seed: number, model: string): Sent {
  const writer = new OddJsonWriter(seed);
  const { model: _, ...rest } = body;
  const before = `{ ${oddities} , "model" : `;
  const after = `\n,${writer.members(Object.entries(rest) as [string, never][])}}`;
  return { text: `${before}${writer.string(model)}${after}`, before, after };
}

const isUsageWithheld = (recording: Recording, lane: string): boolean =>
  lane === 'spliced' && recording.stream && recording.api === 'openai.chat_completions' && !asksForUsage(recording);

function asksForUsage(recording: Recording): boolean {
  const options = ((recording.request?.body ?? {}) as JsonObject)['stream_options'] as JsonObject | undefined;
  return options?.['include_usage'] === true;
}

/** Recordings that held, by provider and lane. */
const held = new Map<string, { identical: number; spliced: number }>();

function noteHeld({ provider }: Recording, lane: 'identical' | 'spliced'): void {
  const count = held.get(provider) ?? { identical: 0, spliced: 0 };
  count[lane] += 1;
  held.set(provider, count);
}

let upstream: ReplayUpstream;
let gateway: GatewayProcess;
beforeAll(async () => {
  upstream = await startReplayUpstream();
  const provider = { keys: [key], network_config: { base_url: upstream.url } };
  const config = { providers: Object.fromEntries(names.map((name) => [name, provider])) };
  gateway = await startGatewayProcess(config, ['-threads', '1', '-log-level', 'error']);
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await upstream.close();
});

async function exchange(
  recording: Recording,
  path: string,
  body: string,
): Promise<{ readonly answer: PostResult; readonly received: string }> {
  upstream.reset();
  upstream.script([{ recording, delivery: recording.stream ? { chunks: 3 } : 'whole' }]);
  const answer = await postJson(`${gateway.url}${path}`, body, { 'anthropic-version': '2023-06-01' });
  expect(answer.status, `${recording.id}: ${answer.text().slice(0, 300)}`).toBe(200);
  return { answer, received: upstream.requests[0]?.body.toString('utf8') ?? '' };
}

/** The provider's bytes; a chat stream that ends without the marker which OpenAI's clients wait for gets it. */
function expectedAnswer(recording: Recording): Buffer {
  const bytes = recordedBytes(recording.response);
  const isMarked = recording.api !== 'openai.chat_completions' || !recording.stream || bytes.includes('data: [DONE]');
  return isMarked ? bytes : Buffer.concat([bytes, Buffer.from('data: [DONE]\n\n')]);
}

describe.each(dialects)('$api', ({ api, provider, identical, spliced }) => {
  it('leaves every byte on the identical lane, both ways', async () => {
    const recordings = recordingsOf(api);
    for (const [seed, recording] of recordings.entries()) {
      const { text } = oddBody(recording.request?.body as JsonObject, seed, 'recorded-model');
      const isMetered = recording.stream && api === 'openai.chat_completions' && !asksForUsage(recording);
      if (isMetered) continue; // usage is asked for by a splice; see the spliced lane
      const { answer, received } = await exchange(recording, identical, text);
      expect(answer.headers['x-bf-lane'], recording.id).toBe('identical');
      expect(received === text, recording.id).toBe(true);
      expect(answer.body.equals(expectedAnswer(recording)), recording.id).toBe(true);
      noteHeld(recording, 'identical');
    }
    console.log(`law 1, identical, ${api}: ${recordings.length} recordings`);
  }, 60_000);

  it('changes nothing but the named fields on the spliced lane', async () => {
    const recordings = recordingsOf(api);
    for (const [seed, recording] of recordings.entries()) {
      const sent = oddBody(recording.request?.body as JsonObject, seed, `${provider}/recorded-model`);
      const { answer, received } = await exchange(recording, spliced, sent.text);
      expect(answer.headers['x-bf-lane'], recording.id).toBe('spliced');
      if (isUsageWithheld(recording, 'spliced')) {
        const { stream_options: asked, ...others } = JSON.parse(received) as JsonObject;
        expect(asked, recording.id).toMatchObject({ include_usage: true });
        const { stream_options: _, ...expected } = JSON.parse(
          `${sent.before}"recorded-model"${sent.after}`,
        ) as JsonObject;
        expect(others, recording.id).toEqual(expected);
        expect(received, recording.id).toContain(oddities);
        noteHeld(recording, 'spliced');
        continue;
      }
      expect(received === `${sent.before}"recorded-model"${sent.after}`, recording.id).toBe(true);
      expect(answer.body.equals(expectedAnswer(recording)), recording.id).toBe(true);
      noteHeld(recording, 'spliced');
    }
    console.log(`law 1, spliced, ${api}: ${recordings.length} recordings`);
  }, 60_000);
});

describe('google.generate_content', () => {
  it('leaves every byte, the model being in the path', async () => {
    const recordings = recordingsOf('google.generate_content', 'google.stream_generate_content').filter(
      ({ response }) => response.stream_format !== 'json-array',
    );
    for (const [seed, recording] of recordings.entries()) {
      const body = recording.request?.body as JsonObject;
      const writer = new OddJsonWriter(seed);
      const text = `{ ${oddities} ,${writer.members(Object.entries(body) as [string, never][])}}`;
      const action = recording.stream ? 'streamGenerateContent?alt=sse' : 'generateContent';
      const { answer, received } = await exchange(recording, `/genai/v1beta/models/recorded-model:${action}`, text);
      expect(answer.headers['x-bf-lane'], recording.id).toBe('identical');
      expect(received === text, recording.id).toBe(true);
      expect(answer.body.equals(expectedAnswer(recording)), recording.id).toBe(true);
      noteHeld(recording, 'identical');
    }
    console.log(`law 1, identical, google.generate_content: ${recordings.length} recordings`);
  }, 60_000);
});

it('is told by provider as docs/laws.md has it', () => {
  const rows = [...held].toSorted(([left], [right]) => (left < right ? -1 : 1));
  const sum = (lane: 'identical' | 'spliced'): number => rows.reduce((total, [, count]) => total + count[lane], 0);
  const all = [...rows, ['all', { identical: sum('identical'), spliced: sum('spliced') }] as const];
  const table = all.map(([name, { identical, spliced }]) => `| ${name} | ${identical} | ${spliced} |`).join('\n');
  const page = readFileSync(resolve(import.meta.dirname, '../../../../docs/laws.md'), 'utf8');
  expect(page.replaceAll(/ +/g, ' '), `the page should have\n${table}`).toContain(table);
});
