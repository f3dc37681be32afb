/**
 * What stock clients send by default must not be refused: requests of Claude Code, Codex, opencode, Gemini CLI and the AI SDK as they
 * were caught (`testkit/client-requests`), sent to the program again; to their own provider byte for byte, to every other dialect
 * translated, with the AI SDK as the judge of the answers.
 */
import { zstdCompressSync } from 'node:zlib';
import {
  clientRequests,
  dialectOfPath,
  postJson,
  recordedBytes,
  recordingsOfApi,
  startReplayUpstream,
} from '@bifrost/testkit';
import type { ClientRequest, PostResult, Recording, ReplayUpstream } from '@bifrost/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aiSdkModel, completeWithAiSdk, streamWithAiSdk } from './ai-sdk-clients.ts';
import type { AiSdkName } from './ai-sdk-clients.ts';
import { dialectProviders } from './dialect-providers.ts';
import { startGatewayProcess } from './gateway-process.ts';
import type { GatewayProcess } from './gateway-process.ts';
import type { AnswerFacts } from './recorded-facts.ts';

interface Side {
  readonly dialect: string;
  /** A provider that speaks this dialect alone. */
  readonly provider: string;
  readonly judge: AiSdkName;
  readonly whole: Recording;
  readonly stream: Recording;
}

function recordedBoth(provider: string, ...apis: readonly string[]): Pick<Side, 'whole' | 'stream'> {
  return { whole: recorded(provider, apis, false), stream: recorded(provider, apis, true) };
}

function recorded(provider: string, apis: readonly string[], isStream: boolean): Recording {
  const found = recordingsOfApi(...apis).find(
    (one) =>
      one.provider === provider &&
      one.stream === isStream &&
      one.response.status === 200 &&
      one.features.includes('tool_call') &&
      !one.features.some((feature) => /^(?:block:|item:|server_tools|json_array|legacy|malformed)/.test(feature)),
  );
  if (found === undefined) throw new Error(`no recording of ${apis.join(', ')}`);
  return found;
}

const sides: readonly Side[] = [
  {
    dialect: 'openai-chat',
    provider: 'chat-upstream',
    judge: 'compatible',
    ...recordedBoth('openai', 'openai.chat_completions'),
  },
  {
    dialect: 'openai-responses',
    provider: 'responses-upstream',
    judge: 'responses',
    ...recordedBoth('openai', 'openai.responses'),
  },
  {
    dialect: 'anthropic-messages',
    provider: 'anthropic',
    judge: 'anthropic',
    ...recordedBoth('anthropic', 'anthropic.messages'),
  },
  {
    dialect: 'gemini-generate-content',
    provider: 'gemini',
    judge: 'google',
    ...recordedBoth('gemini', 'google.generate_content', 'google.stream_generate_content'),
  },
];
const sideOf = (path: string): Side => sides.find(({ dialect }) => dialect === dialectOfPath(path)) as Side;

const isStream = ({ path, body = '' }: ClientRequest): boolean =>
  path.includes(':streamGenerateContent') || /"stream"\s*:\s*true/.test(body);

/** The request as it would be for a model of another provider. */
function readdress(request: ClientRequest, provider: string): ClientRequest {
  const path = request.path.replace(/\/models\/[^:]+:/, `/${provider}/some-model:`);
  return {
    ...request,
    path,
    body: (request.body ?? '').replace(/"model":"[^"]*"/, `"model":"${provider}/some-model"`),
  };
}

let upstream: ReplayUpstream;
let gateway: GatewayProcess;
beforeAll(async () => {
  upstream = await startReplayUpstream({ delivery: { chunks: 5 } });
  const { providers } = dialectProviders(upstream.url) as { providers: Record<string, object> };
  const openai = { keys: [{ name: 'test', value: 'sk-upstream', models: ['*'], weight: 1 }] };
  const config = { providers: { ...providers, openai: { ...openai, network_config: { base_url: upstream.url } } } };
  gateway = await startGatewayProcess(JSON.parse(JSON.stringify(config)), ['-threads', '1', '-log-level', 'error']);
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await upstream.close();
});

function send({ method, path, headers, body }: ClientRequest): Promise<PostResult> {
  const isCompressed = headers.some(([name, value]) => /^content-encoding$/i.test(name) && value === 'zstd');
  const bytes = body === undefined ? undefined : isCompressed ? zstdCompressSync(body) : body;
  return postJson(`${gateway.url}${path}`, bytes, Object.fromEntries(headers), { method });
}

/** What the AI SDK reads in an answer that `answer` gets. */
async function judged(judge: AiSdkName, isStreamed: boolean, answer: () => Promise<Response>): Promise<AnswerFacts> {
  const model = aiSdkModel(judge, 'http://gateway', 'some-model', answer);
  return isStreamed ? streamWithAiSdk(model) : completeWithAiSdk(model);
}

const asResponse = (bytes: Buffer, contentType: string, status = 200): Response =>
  new Response(new Uint8Array(bytes), { status, headers: { 'content-type': contentType } });

const posts = clientRequests().filter(({ method }) => method === 'POST');
const cases = posts.map((request) => [request.id, request] as const);

describe('on its own provider', () => {
  it.each(cases)('%s passes byte for byte', async (_id, request) => {
    const own = sideOf(request.path);
    const recording = isStream(request) ? own.stream : own.whole;
    upstream.reset();
    upstream.script([{ recording }]);
    const answer = await send(request);
    expect(answer.status, answer.text().slice(0, 300)).toBe(200);
    expect(answer.headers['x-bf-lane']).toMatch(/identical|spliced/);
    expect(answer.body.equals(recordedBytes(recording.response))).toBe(true);
    const [received] = upstream.requests;
    const expected = (request.body ?? '').replace('"model":"openai/', '"model":"');
    expect(received?.body.toString('utf8') === expected).toBe(true);
    expect(received?.rawHeaders.join('\n')).not.toMatch(/a-key-of-the-client|a-token|content-encoding/i);
    const beta = request.headers.find(([name]) => name.toLowerCase() === 'anthropic-beta')?.[1];
    expect(received?.headers['anthropic-beta']).toBe(beta);
  });
});

describe.each(sides)('translated to $dialect', ({ dialect, provider, whole, stream, judge }) => {
  const foreign = cases.filter(([, { path }]) => dialectOfPath(path) !== dialect);
  it.each(foreign)('%s is answered', async (_id, request) => {
    const isStreamed = isStream(request);
    const recording = isStreamed ? stream : whole;
    const contentType = isStreamed ? 'text/event-stream' : 'application/json';
    const expected = await judged(judge, isStreamed, async () =>
      asResponse(recordedBytes(recording.response), contentType),
    );
    upstream.reset();
    upstream.script([{ recording }]);
    const seen = await judged(sideOf(request.path).judge, isStreamed, async () => {
      const answer = await send(readdress(request, provider));
      return asResponse(answer.body, String(answer.headers['content-type']), answer.status);
    });
    expect(seen).toEqual(expected);
    expect(upstream.requests).toHaveLength(1);
  });
});

describe('calls beside the requests', () => {
  const others = clientRequests().filter(({ method }) => method !== 'POST');
  const find = (test: (request: ClientRequest) => boolean): ClientRequest => others.find(test) as ClientRequest;

  it('tells Codex at once that there is no WebSocket, so that it goes on by POST', async () => {
    const upgrade = find(({ headers }) => headers.some(([name]) => name.toLowerCase() === 'sec-websocket-key'));
    expect(upgrade.path).toBe('/openai/v1/responses');
    const answer = await send(upgrade);
    expect(answer.status).toBe(426);
    expect(answer.headers.upgrade).toBe('HTTP/1.1');
  });

  it('lists models for Codex, whatever it asks with', async () => {
    upstream.reset();
    const answer = await send(find(({ path }) => path.includes('/models?client_version=')));
    expect(answer.status).toBe(200);
    expect(answer.json()).toMatchObject({ object: 'list' });
  });

  it('answers the connection that Claude Code opens ahead', async () => {
    const answer = await send(find(({ method }) => method === 'HEAD'));
    expect(answer.isComplete).toBe(true);
    expect(answer.status).toBe(404); // it looks at the connection alone
  });
});
