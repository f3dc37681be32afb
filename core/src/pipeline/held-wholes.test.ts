/** Tools that a provider runs: their input streams in pieces, and is one event at its end for the hooks. */
import type { StreamEvent } from '@bifrost/sdk';
import { describe, expect, it } from 'vitest';
import type { TestPlugin } from '../plugins/__tests__/chains-of.ts';
import { relay } from './__tests__/relay-harness.ts';

const secret = 'plugh-xyzzy';

const sse = (events: readonly object[]): string =>
  events.map((event) => `event: ${(event as { type: string }).type}\ndata: ${JSON.stringify(event)}\n\n`).join('');

const block = { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: {} };
const input = (partial: string): object => ({
  type: 'content_block_delta',
  index: 0,
  delta: { type: 'input_json_delta', partial_json: partial },
});
const messageStart = {
  type: 'message_start',
  message: { id: 'msg_1', type: 'message', role: 'assistant', model: 'm', content: [], usage: { input_tokens: 1 } },
};
const blockStart = { type: 'content_block_start', index: 0, content_block: block };
const rest = [
  { type: 'content_block_stop', index: 0 },
  { type: 'content_block_start', index: 1, content_block: { type: 'text', text: '' } },
  { type: 'content_block_delta', index: 1, delta: { type: 'text_delta', text: 'found it' } },
  { type: 'content_block_stop', index: 1 },
  { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 5 } },
  { type: 'message_stop' },
];
const anthropic = (...pieces: readonly string[]): string =>
  sse([messageStart, blockStart, ...pieces.map(input), ...rest]);

const item = { id: 'ci_1', type: 'code_interpreter_call', status: 'in_progress', code: '', container_id: 'c' };
const at = { output_index: 0, item_id: 'ci_1' };
function responses(...pieces: readonly string[]): string {
  const done = { ...item, status: 'completed', code: pieces.join('') };
  const response = { id: 'resp_1', object: 'response', created_at: 1, model: 'm', status: 'in_progress', output: [] };
  return sse([
    { type: 'response.created', sequence_number: 0, response },
    { type: 'response.output_item.added', sequence_number: 1, output_index: 0, item },
    ...pieces.map((delta) => ({ type: 'response.code_interpreter_call_code.delta', sequence_number: 2, ...at, delta })),
    { type: 'response.code_interpreter_call_code.done', sequence_number: 3, ...at, code: done.code },
    { type: 'response.output_item.done', sequence_number: 4, output_index: 0, item: done },
    { type: 'response.completed', sequence_number: 5, response: { ...response, status: 'completed', output: [done] } },
  ]);
}

const clean = (event: StreamEvent): readonly StreamEvent[] | undefined => {
  if (event.type !== 'server-tool' || !JSON.stringify(event.value).includes(secret)) return undefined;
  return [{ ...event, value: JSON.parse(JSON.stringify(event.value).replaceAll(secret, '[x]')) as typeof event.value }];
};

function guard(holdBack: { readonly characters: number; readonly maxBytes?: number }): TestPlugin {
  return { name: 'guard', guard: true, streamEventHook: { holdBack, handler: (_, event) => clean(event) } };
}
const holding = guard({ characters: 20 });

/** A piece of the secret. */
const leak = /plugh|xyz|zzy/;

const wires = [
  ['anthropic-messages', anthropic('{"query": "open plugh-', 'xyzzy now"}'), '"open [x] now'],
  ['openai-responses', responses('print("plugh-', 'xyzzy")'), 'print("[x]")'],
] as const;

/** The stream up to the first piece of the secret, which is the last event. */
function upToFirstPiece(text: string): string {
  const end = text.indexOf('\n\n', text.indexOf('plugh-')) + 2;
  return text.slice(0, end);
}

describe.each(wires)('a tool that the provider runs, in a %s stream', (dialect, text, cleaned) => {
  it('waits with all its pieces until a hook that holds back has seen it, and leaves as the hook made it', async () => {
    const { sink, run } = await relay({ dialect, chunks: [Buffer.from(text)], plugins: [holding], isPaced: true });
    expect(sink.text).not.toMatch(leak);
    expect(sink.text.replaceAll('\\', '')).toContain(cleaned);
    expect(run.lane).toBe('translated');
  });

  it('leaves in its own bytes where the hook leaves it unchanged', async () => {
    const harmless = text.replaceAll('plugh-', 'trap').replaceAll('xyzzy', 'door');
    const plain = await relay({ dialect, chunks: [Buffer.from(harmless)] });
    const { sink, run } = await relay({ dialect, chunks: [Buffer.from(harmless)], plugins: [holding] });
    expect(sink.text).toBe(plain.sink.text);
    expect(run.lane).toBe('identical');
  });

  it('is not kept from a client by a hook that holds nothing back', async () => {
    const watching: TestPlugin = { name: 'watch', streamEventHook: () => undefined };
    const cut = upToFirstPiece(text);
    const { sink } = await relay({ dialect, chunks: [Buffer.from(cut)], plugins: [watching] });
    expect(sink.text).toContain('plugh-');
  });

  it('goes with what it said where the stream breaks off within it', async () => {
    const cut = upToFirstPiece(text);
    const { sink, run } = await relay({ dialect, chunks: [Buffer.from(cut)], plugins: [holding] });
    expect(sink.text).not.toMatch(leak);
    expect(run.error?.code).toBe('BF_STREAM_TRUNCATED');
  });

  it('ends the stream where it is longer than a guard may hold back', async () => {
    const { sink, run } = await relay({
      dialect,
      chunks: [Buffer.from(text)],
      plugins: [guard({ characters: 20, maxBytes: 64 })],
    });
    expect(sink.text).not.toMatch(leak);
    expect(run.error?.code).toBe('BF_PLUGIN_HOOK_FAILED');
  });

  it('goes on unjudged there where the hook says that failures do not count', async () => {
    const lenient = { ...guard({ characters: 20, maxBytes: 64 }), guard: false } as TestPlugin;
    const { sink, run, lines } = await relay({ dialect, chunks: [Buffer.from(text)], plugins: [lenient] });
    expect(run.error).toBeUndefined();
    expect(lines.join('\n')).toContain('holdBack.maxBytes');
    expect(sink.isEnded).toBe(true);
  });
});

it('is seen by a hook as the text that it is where its input is no JSON', async () => {
  const seen: StreamEvent[] = [];
  const watching: TestPlugin = { name: 'watch', streamEventHook: (_, event) => void seen.push(event) };
  const bytes = Buffer.from(anthropic('{"query": ', secret));
  const { sink } = await relay({ dialect: 'anthropic-messages', chunks: [bytes], plugins: [watching] });
  expect(seen).toContainEqual(
    expect.objectContaining({ type: 'server-tool', value: { ...block, input: `{"query": ${secret}` } }),
  );
  expect(sink.text).toBe(bytes.toString('utf8'));
  const changed = await relay({ dialect: 'anthropic-messages', chunks: [bytes], plugins: [holding] });
  expect(changed.sink.text).toContain('"partial_json":"{\\"query\\": [x]"');
});
