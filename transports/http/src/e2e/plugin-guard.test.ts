/**
 * The guard in the running program: a secret is planted in the text of recorded streams of every dialect, and the provider's bytes are
 * cut at every place within it. Not one piece of it reaches the client; a stream without a secret keeps its bytes.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DialectName } from '@bifrost/sdk';
import { recordedBytes, recordingsOfDialect, startReplayUpstream } from '@bifrost/testkit';
import type { Recording, ReplayUpstream } from '@bifrost/testkit';
import { PluginGateway } from './plugin-gateway.ts';

/** Made of parts, so that the repository holds no key that scanners would find. */
const secret = `sk-${'Ab3dEf9'.repeat(6)}`;
/** No piece of so many characters of it may leave: shorter ones may stand in any text. */
const pieceLength = 8;

const key = { name: 'test', value: 'sk-upstream', models: ['*'], weight: 1 };
/** Streams of each dialect, and cuts of each: a sample that a test run has time for. */
const streamsOfDialect = 4;

interface Wire {
  readonly dialect: DialectName;
  readonly path: string;
  /** Where the text of a delta stands in the wire's JSON. */
  readonly text: RegExp;
}

const wires: readonly Wire[] = [
  { dialect: 'openai-chat', path: '/openai/v1/chat/completions', text: /"content":"([^"\\]{3,})"/ },
  {
    dialect: 'openai-responses',
    path: '/openai/v1/responses',
    text: /"type":"response.output_text.delta"[^\n]*"delta":"([^"\\]{3,})"/,
  },
  { dialect: 'anthropic-messages', path: '/anthropic/v1/messages', text: /"type":"text_delta","text":"([^"\\]{3,})"/ },
  {
    dialect: 'gemini-generate-content',
    path: '/genai/v1beta/models/recorded-model:streamGenerateContent?alt=sse',
    text: /"text":\s*"([^"\\]{3,})"/,
  },
];

let upstream: ReplayUpstream;
let gateway: PluginGateway;
beforeAll(async () => {
  upstream = await startReplayUpstream();
  const provider = { keys: [key], network_config: { base_url: upstream.url } };
  const providers = { openai: provider, anthropic: provider, gemini: provider };
  const plugins = [{ name: 'guard', enabled: true, config: { on: ['output'], action: 'redact' } }];
  gateway = await PluginGateway.start({ config: { providers, plugins } });
}, 60_000);
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await upstream.close();
});

const eventEnd = /(?<=\n\r?\n)/;
/** Where an event ends an answer, nothing is said after it: a secret that is cut there has no second half. */
const ending = /"finish_?reason":\s*"/i;

/** The place of the first event with text that is not the last one said. */
function textEvent(stream: string, { text }: Wire): number {
  return stream.split(eventEnd).findIndex((event) => text.test(event) && !ending.test(event));
}

/** Streams with text in them whose request was recorded, the shortest first. */
function streamsOf(wire: Wire): readonly Recording[] {
  return recordingsOfDialect(wire.dialect)
    .filter(({ stream, request, response }) => stream && request?.body_encoding === 'json' && response.status === 200)
    .filter(
      ({ response }) =>
        response.stream_format === 'sse' && textEvent(recordedBytes(response).toString('utf8'), wire) !== -1,
    )
    .toSorted((a, b) => recordedBytes(a.response).length - recordedBytes(b.response).length)
    .slice(0, streamsOfDialect);
}

async function answerTo(recording: Recording, wire: Wire, body: Uint8Array, chunks: number): Promise<Buffer> {
  upstream.reset();
  const headers = { 'content-type': 'text/event-stream' };
  upstream.script([{ status: 200, headers, body, delivery: { cut: { chunks } } }]);
  const response = await fetch(`${gateway.url}${wire.path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'anthropic-version': '2023-06-01' },
    body: JSON.stringify({ ...(recording.request?.body as object), model: 'recorded-model', stream: true }),
  });
  expect(response.status, recording.id).toBe(200);
  return Buffer.from(await response.arrayBuffer());
}

function piecesOf(text: string): readonly string[] {
  return Array.from({ length: text.length - pieceLength + 1 }, (_, at) => text.slice(at, at + pieceLength));
}

/** The events of one text delta as two: the first with the first `cut` characters of what is said. */
function splitSecret(stream: string, wire: Wire, cut: number): string {
  const events = stream.split(eventEnd);
  const index = textEvent(stream, wire);
  const event = events[index] ?? '';
  const found = wire.text.exec(event)?.[1] ?? '';
  const place = event.lastIndexOf(`"${found}"`);
  const withText = (text: string): string =>
    event.slice(0, place) + JSON.stringify(text) + event.slice(place + found.length + 2);
  const [first, second] = [`${found} key: ${secret.slice(0, cut)}`, `${secret.slice(cut)} is it. `];
  return [...events.slice(0, index), withText(first), withText(second), ...events.slice(index + 1)].join('');
}

it('is loaded by its name', async () => {
  expect((await gateway.plugin('guard')).status).toMatchObject({ status: 'active', logs: [] });
});

describe.each(wires)('$dialect', (wire) => {
  const recordings = streamsOf(wire);

  it('has streams to plant a secret in', () => expect(recordings).toHaveLength(streamsOfDialect));

  it('lets no piece of a secret out, wherever two chunks meet in it', { timeout: 60_000 }, async () => {
    let bytes = 0;
    for (const [index, recording] of recordings.entries()) {
      const stream = recordedBytes(recording.response).toString('utf8');
      // Every boundary in the secret over the recordings together, its ends in each.
      for (let cut = 0; cut <= secret.length; cut += 1) {
        if (cut % recordings.length !== index && cut !== 0 && cut !== secret.length) continue;
        const planted = splitSecret(stream, wire, cut);
        const answer = (await answerTo(recording, wire, Buffer.from(planted), 1 + (cut % 7))).toString('utf8');
        bytes += answer.length;
        const leaked = piecesOf(secret).filter((piece) => answer.includes(piece));
        expect(leaked, `${recording.id}, cut at ${cut}: ${answer.slice(0, 2000)}`).toEqual([]);
        expect(answer, `${recording.id}, cut at ${cut}`).toContain('REDACTED:openai-key');
      }
    }
    expect(bytes).toBeGreaterThan(0);
  });

  it('leaves every byte of a stream without a secret', async () => {
    for (const recording of recordings) {
      const bytes = recordedBytes(recording.response);
      const answer = await answerTo(recording, wire, bytes, 5);
      const isMarked = wire.dialect !== 'openai-chat' || bytes.includes('data: [DONE]');
      const expected = isMarked ? bytes : Buffer.concat([bytes, Buffer.from('data: [DONE]\n\n')]);
      expect(answer.toString('utf8') === expected.toString('utf8'), recording.id).toBe(true);
    }
  });
});
