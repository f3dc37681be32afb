/** Every field of a rich request on every route, in turn left out or of a wrong type: a 4xx or the provider's answer, never a crash. */
import type { Json, JsonObject } from '@bifrost/sdk';
import { isJsonObject } from '@bifrost/sdk';
import { postJson } from '@bifrost/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startGatewayProcess } from './gateway-process.ts';
import type { GatewayProcess } from './gateway-process.ts';
import { richBodies } from './rich-bodies.ts';

/** One provider of each dialect, none of them there: what can be said in its dialect ends in a 502. */
const models = ['openai/gpt-4o', 'anthropic/claude-sonnet-4-5', 'gemini/gemini-2.5-flash', 'mock/hello'];
const wrongValues: readonly (Json | undefined)[] = [undefined, null, 42, {}];
const callsAtOnce = 16;

let gateway: GatewayProcess;
beforeAll(async () => {
  const keys = [{ name: 'test', value: 'sk-canary-77aa', models: ['*'], weight: 1 }];
  const provider = { keys, network_config: { base_url: 'http://127.0.0.1:9' } };
  const providers = { openai: provider, anthropic: provider, gemini: provider };
  gateway = await startGatewayProcess({ providers }, ['-threads', '1', '-log-level', 'warn']);
});
afterAll(() => gateway[Symbol.asyncDispose]());

type Path = readonly (string | number)[];

function* pathsOf(value: Json, path: Path = []): Generator<Path> {
  if (path.length > 0) yield path;
  if (Array.isArray(value)) for (const [index, item] of value.entries()) yield* pathsOf(item as Json, [...path, index]);
  else if (isJsonObject(value))
    for (const [key, item] of Object.entries(value)) yield* pathsOf(item as Json, [...path, key]);
}

function withValue(body: JsonObject, path: Path, value: Json | undefined): JsonObject {
  const copy = structuredClone(body);
  let place = copy as Record<string | number, never>;
  for (const step of path.slice(0, -1)) place = place[step] as unknown as typeof place;
  const last = path.at(-1) ?? '';
  if (value !== undefined) place[last] = value as never;
  else if (Array.isArray(place)) place.splice(Number(last), 1);
  else delete place[last];
  return copy;
}

async function faultOf(path: string, body: JsonObject): Promise<string | undefined> {
  const answer = await postJson(gateway.url + path, body);
  const text = answer.text();
  if (text.includes('sk-canary')) return 'the answer has the key';
  if (![200, 400, 502].includes(answer.status)) return `${answer.status} ${text.slice(0, 200)}`;
  if (answer.status === 200) return undefined;
  const { error } = answer.json() as { readonly error?: { readonly message?: unknown } };
  return typeof error?.message === 'string' && error.message.length > 10
    ? undefined
    : `no message: ${text.slice(0, 200)}`;
}

it.each(Object.entries(richBodies))('%s', async (path, body) => {
  const cases = models.flatMap((model) => {
    const named = 'model' in body ? { ...body, model } : body;
    return [...pathsOf(named)].flatMap((place) =>
      wrongValues.map((value) => ({
        path: path.replace('MODEL', encodeURIComponent(model)),
        body: withValue(named, place, value),
        what: `${model}: ${place.join('.')} = ${JSON.stringify(value)}`,
      })),
    );
  });
  const faults: string[] = [];
  const work = async (): Promise<void> => {
    for (let next = cases.pop(); next !== undefined; next = cases.pop()) {
      const fault = await faultOf(next.path, next.body);
      if (fault !== undefined) faults.push(`${next.what}: ${fault}`);
    }
  };
  await Promise.all(Array.from({ length: callsAtOnce }, work));
  expect(faults).toEqual([]);
});

it('was served by one and the same thread, which had nothing to complain about', () => {
  expect(gateway.output()).not.toMatch(/"level":"(?:warn|error)"|sk-canary/);
});
