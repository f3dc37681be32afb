/** Follow-ups of the Responses API reach the key that made what they continue: over threads, replicas and a restart. */
import OpenAI from 'openai';
import { startStatefulUpstream } from '@bifrost/testkit';
import type { StatefulUpstream } from '@bifrost/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startGatewayProcess } from './gateway-process.ts';
import type { GatewayProcess } from './gateway-process.ts';

const conversations = 12;
const model = 'keeping-model';

let upstream: StatefulUpstream;
beforeAll(async () => {
  upstream = await startStatefulUpstream();
});
afterAll(() => upstream[Symbol.asyncDispose]());

function startGateway(): Promise<GatewayProcess> {
  const key = (name: string): object => ({ name, value: `sk-${name}`, models: ['*'], weight: 1 });
  const openai = { keys: [key('one'), key('two')], network_config: { base_url: upstream.url } };
  const config = JSON.parse(JSON.stringify({ providers: { openai } })) as Parameters<typeof startGatewayProcess>[0];
  return startGatewayProcess(config, ['-threads', '2', '-log-level', 'error']);
}

interface Turn {
  readonly id: string;
  readonly text: string;
}

/** Each on a connection of its own, so that both threads serve. */
async function turn({ url }: GatewayProcess, isStream: boolean, previous?: string): Promise<Turn> {
  const client = new OpenAI({
    apiKey: 'sk-dummy',
    baseURL: `${url}/openai/v1`,
    maxRetries: 0,
    defaultHeaders: { connection: 'close' },
  });
  const body = { model, input: 'hi', ...(previous === undefined ? {} : { previous_response_id: previous }) };
  const response = isStream ? await client.responses.stream(body).finalResponse() : await client.responses.create(body);
  return { id: response.id, text: response.output_text };
}

const all = <T>(make: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: conversations }, (_, index) => make(index)));

it('in any thread, streamed or whole, and after a restart', async () => {
  const first = await startGateway();
  const begun = await all((index) => turn(first, index % 2 === 0));
  expect(new Set(begun.map(({ text }) => text))).toEqual(new Set(['sk-one', 'sk-two']));
  const continued = await all((index) => turn(first, index % 3 === 0, begun[index]?.id));
  expect(continued.map(({ text }) => text)).toEqual(begun.map(({ text }) => text));
  expect(upstream.requests).toHaveLength(2 * conversations);
  await first[Symbol.asyncDispose]();

  await using restarted = await startGateway();
  const later = await all((index) => turn(restarted, index % 2 === 1, continued[index]?.id));
  expect(later.map(({ text }) => text)).toEqual(begun.map(({ text }) => text));
  // A key that does not know a response costs one refusal, which the client does not see.
  expect(upstream.requests.length).toBeLessThanOrEqual(4 * conversations);
}, 60_000);
