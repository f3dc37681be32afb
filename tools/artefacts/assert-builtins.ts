import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { complete, runGateway } from './run-gateway.ts';

/** Answers streams in two pieces, cut within a word. */
const talker = `
  async function* talk() {
    yield { type: 'response-start', id: 'x', model: 'm' };
    yield { type: 'text-start', part: '0' };
    for (const text of ['{"city":"Pa', 'ris"}']) yield { type: 'text-delta', part: '0', text };
    yield { type: 'text-end', part: '0' };
    yield { type: 'finish', reason: { kind: 'stop' } };
  }
  export const preLLMHook = (context, request) => (request.isStream ? { stream: talk() } : undefined);`;
const secret = `sk-proj-${'a1B2'.repeat(12)}`;

const builtins = [
  { name: 'guard', config: { action: 'redact' } },
  {
    name: 'mocker',
    config: {
      rules: [
        {
          name: 'drill',
          conditions: { message_regex: 'drill' },
          responses: [{ type: 'success', content: { message: 'canned' } }],
        },
      ],
    },
  },
  { name: 'json-parser', config: {} },
];

const body = (content: string, stream = false): string =>
  JSON.stringify({ model: 'mock/hello', stream, messages: [{ role: 'user', content }] });

/** The texts of a stream's deltas. */
function deltasOf(text: string): readonly string[] {
  return [...text.matchAll(/^data: (\{.*\})$/gm)].flatMap(([, json = '']) => {
    const chunk = JSON.parse(json) as {
      readonly choices: readonly { readonly delta: { readonly content?: string } }[];
    };
    const content = chunk.choices[0]?.delta.content;
    return content === undefined || content === '' ? [] : [content];
  });
}

/** Starts the gateway with every built-in plugin in `isolation`, and has each of them act on a request. */
export async function assertBuiltins(command: readonly string[], isolation: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bifrost-builtins-'));
  try {
    writeFileSync(join(folder, 'talker.mjs'), talker);
    const plugins = [
      ...builtins.map((entry) => ({ ...entry, enabled: true, isolation })),
      { name: 'talker', path: './talker.mjs', enabled: true },
    ];
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ plugins }));
    await using gateway = await runGateway(command, {
      args: ['-config', join(folder, 'config.json'), '-app-dir', folder],
    });
    for (const { name } of builtins) await gateway.until(new RegExp(`Plugin loaded successfully: ${name}`));
    const guarded = await complete(gateway.url, { body: body(`My key is ${secret}.`) });
    expect(guarded.text).toMatch(/My key is \[REDACTED:[\w-]+\]\./);
    const mocked = await complete(gateway.url, { body: body('a drill') });
    expect(JSON.parse(mocked.text)).toMatchObject({ choices: [{ message: { content: 'canned' } }] });
    const headers = { 'content-type': 'application/json', 'x-bf-json-parser': 'true' };
    const { text } = await complete(gateway.url, { body: body('a city', true), headers });
    expect(deltasOf(text)).toEqual(['{"city":"Pa"}', '{"city":"Paris"}']);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
