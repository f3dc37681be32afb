/**
 * The guard in the running program, over all recorded streams: a secret is planted across every boundary between two pieces of text,
 * reasoning and arguments, and the provider's bytes are cut in other places again. Not one piece of it reaches the client, in any
 * dialect; a stream without a secret keeps its bytes.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DialectName } from '@bifrost/sdk';
import { recordedBytes, recordingsOfDialect, startReplayUpstream } from '@bifrost/testkit';
import type { Recording, ReplayUpstream } from '@bifrost/testkit';
import { plantSecrets, textsOf } from './plant-secrets.ts';
import { PluginGateway } from './plugin-gateway.ts';

/** Made of parts, so that the repository holds no key that scanners would find. */
const secret = `sk-${'Ab3dEf9'.repeat(6)}`;
/** No piece of so many characters of it may leave: shorter ones may stand in any text. */
const pieceLength = 8;
const secretPieces = Array.from({ length: secret.length - pieceLength + 1 }, (_, at) =>
  secret.slice(at, at + pieceLength),
);
/** Where the first boundary of a stream cuts the secret, a pass for each; further ones cut it a character later each time. */
const firstCuts = [0, 17, 31];

const key = { name: 'test', value: 'sk-upstream', models: ['*'], weight: 1 };
const messages = [{ role: 'user', content: 'x' }];

interface Wire {
  readonly dialect: DialectName;
  readonly path: string;
  /** A provider that speaks this dialect and no other. */
  readonly provider: string;
  /** What a client of this dialect asks with. */
  readonly body: object;
}

const wires: readonly Wire[] = [
  { dialect: 'openai-chat', path: '/openai/v1/chat/completions', provider: 'cerebras', body: { messages } },
  { dialect: 'openai-completions', path: '/openai/v1/completions', provider: 'openai', body: { prompt: 'x' } },
  { dialect: 'openai-responses', path: '/openai/v1/responses', provider: 'openai', body: { input: 'x' } },
  {
    dialect: 'anthropic-messages',
    path: '/anthropic/v1/messages',
    provider: 'anthropic',
    body: { messages, max_tokens: 9 },
  },
  {
    dialect: 'gemini-generate-content',
    path: '/genai/v1beta/models/MODEL:streamGenerateContent?alt=sse',
    provider: 'gemini',
    body: { contents: [{ role: 'user', parts: [{ text: 'x' }] }] },
  },
];

let upstream: ReplayUpstream;
let gateway: PluginGateway;
/** The same without the guard. */
let plain: PluginGateway;
beforeAll(async () => {
  upstream = await startReplayUpstream();
  const provider = { keys: [key], network_config: { base_url: upstream.url } };
  const providers = Object.fromEntries(wires.map((wire) => [wire.provider, provider]));
  const plugins = [{ name: 'guard', enabled: true, config: { on: ['output'], action: 'redact' } }];
  gateway = await PluginGateway.start({ config: { providers, plugins } });
  plain = await PluginGateway.start({ config: { providers } });
}, 60_000);
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await plain[Symbol.asyncDispose]();
  await upstream.close();
});

const streamsOf = ({ dialect }: Wire): readonly Recording[] =>
  recordingsOfDialect(dialect).filter(
    ({ stream, response }) => stream && response.status === 200 && response.stream_format === 'sse',
  );

interface Exchange {
  readonly client: Wire;
  readonly provider: Wire;
  /** What the provider answers, and in how many writes. */
  readonly answer: Uint8Array | string;
  readonly writes: number;
  /** The gateway with the guard where it is absent. */
  readonly through?: PluginGateway;
}

/** What a client of one dialect gets of a provider's stream in its own or another one. */
async function answerOf({ client, provider, answer, writes, through = gateway }: Exchange): Promise<string> {
  upstream.reset();
  const headers = { 'content-type': 'text/event-stream' };
  upstream.script([{ status: 200, headers, body: Buffer.from(answer), delivery: { cut: { chunks: writes } } }]);
  const model = `${provider.provider}/recorded-model`;
  const response = await fetch(through.url + client.path.replace('MODEL', model), {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'anthropic-version': '2023-06-01' },
    body: JSON.stringify({ ...client.body, model, stream: true }),
  });
  return response.text();
}

/** The first piece of a secret in a text with what stands before it; undefined where there is none. */
function leakIn(text: string): string | undefined {
  const places = secretPieces.map((piece) => text.indexOf(piece)).filter((place) => place !== -1);
  const at = Math.min(...places);
  return places.length === 0 ? undefined : text.slice(Math.max(0, at - 80), at + secret.length);
}

/** What is wrong with a client's answer: a piece of a secret in its bytes, or in the texts that it joins; a secret that nothing stands for. */
function faultsOf(answer: string, { dialect }: Wire, secrets: number): readonly string[] {
  const texts = textsOf(answer, dialect);
  const redactions = texts.join(' ').split('[REDACTED:openai-key]').length - 1;
  const leak = [answer, ...texts].map(leakIn).find((found) => found !== undefined);
  return [
    ...(leak === undefined ? [] : [`leaked ${leak}`]),
    ...(redactions >= secrets ? [] : [`${redactions} of ${secrets} secrets were replaced`]),
  ];
}

it('is loaded by its name', async () => {
  expect((await gateway.plugin('guard')).status).toMatchObject({ status: 'active', logs: [] });
});

describe.each(wires)('$dialect', (wire) => {
  const recordings = streamsOf(wire);

  it('lets no piece of a secret out, at no boundary of any recorded stream', { timeout: 120_000 }, async () => {
    let boundaries = 0;
    const faults: string[] = [];
    for (const [index, recording] of recordings.entries()) {
      const recorded = recordedBytes(recording.response).toString('utf8');
      for (const firstCut of firstCuts) {
        const planted = plantSecrets(recorded, { dialect: wire.dialect, secret, firstCut: firstCut + index });
        if (planted.secrets === 0) continue;
        const answer = await answerOf({
          client: wire,
          provider: wire,
          answer: planted.stream,
          writes: 1 + (index % 7),
        });
        const found = faultsOf(answer, wire, planted.secrets);
        faults.push(...found.map((fault) => `${recording.id}, first cut at ${firstCut + index}: ${fault}`));
        boundaries += planted.secrets;
      }
    }
    expect(faults).toEqual([]);
    expect(boundaries).toBeGreaterThan(20);
  });

  it('leaves every byte of every stream without a secret', { timeout: 120_000 }, async () => {
    const faults: string[] = [];
    for (const recording of recordings) {
      const exchange = { client: wire, provider: wire, answer: recordedBytes(recording.response), writes: 5 };
      const [guarded, unguarded] = [await answerOf(exchange), await answerOf({ ...exchange, through: plain })];
      if (guarded !== unguarded) faults.push(recording.id);
    }
    expect(faults).toEqual([]);
  });
});

// A provider with more dialects than one is asked in the client's own.
const lone = wires.filter(({ provider }) => provider !== 'openai');

describe.each(lone)('$dialect', (wire) => {
  it('lets no piece of a secret out to clients of the other dialects', { timeout: 120_000 }, async () => {
    const others = wires.filter((other) => other !== wire && other.dialect !== 'openai-completions');
    const faults: string[] = [];
    for (const [index, recording] of streamsOf(wire).entries()) {
      const client = others[index % others.length] as Wire;
      const recorded = recordedBytes(recording.response).toString('utf8');
      const planted = plantSecrets(recorded, { dialect: wire.dialect, secret, firstCut: index });
      const answer = await answerOf({ client, provider: wire, answer: planted.stream, writes: 3 });
      const leak = leakIn(answer);
      if (leak !== undefined) faults.push(`${recording.id} as ${client.dialect}: ${leak}`);
    }
    expect(faults).toEqual([]);
  });
});
