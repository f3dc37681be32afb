import type { DialectName, Usage } from '@bifrost/sdk';
import { recordedBytes, recordingsOfApi } from '@bifrost/testkit';
import { describe, expect, it } from 'vitest';
import { codecOf } from '../dialects/registry.ts';
import { parseSse } from '../sse/parser.ts';
import { StreamWatcher } from './stream-watcher.ts';

const apis: readonly (readonly [string, DialectName])[] = [
  ['openai.chat_completions', 'openai-chat'],
  ['openai.responses', 'openai-responses'],
  ['openai.completions', 'openai-completions'],
  ['anthropic.messages', 'anthropic-messages'],
  ['google.stream_generate_content', 'gemini-generate-content'],
];

function watch(dialect: DialectName, chunks: readonly Buffer[]) {
  const watcher = new StreamWatcher(codecOf(dialect));
  let whole = 0;
  let seen = 0;
  for (const chunk of chunks) {
    const end = watcher.push(chunk);
    if (end > 0) whole = seen + end;
    seen += chunk.length;
  }
  const { length } = Buffer.concat(chunks);
  expect(whole).toBeLessThanOrEqual(length);
  watcher.finish();
  const { hasContent, hasTerminal, hasFinish, error } = watcher;
  return { hasContent, hasTerminal, hasFinish, error: error?.data, usage: watcher.readUsage(), whole };
}

/** What every event says, each one parsed. */
function judge(dialect: DialectName, bytes: Buffer) {
  const codec = codecOf(dialect);
  const found = {
    hasContent: false,
    hasTerminal: false,
    error: undefined as string | undefined,
    usage: undefined as Usage | undefined,
  };
  for (const event of parseSse(bytes)) {
    const kind = codec.classifyStreamEvent(event);
    if (kind === 'content') found.hasContent = true;
    if (kind === 'terminal') found.hasTerminal = true;
    if (kind === 'error') found.error ??= event.data;
    const usage = codec.readStreamUsage(event, found.usage);
    if (usage !== undefined) found.usage = { ...found.usage, ...usage };
  }
  return found;
}

function cut(bytes: Buffer, at: number): readonly Buffer[] {
  return [bytes.subarray(0, at), bytes.subarray(at)];
}

describe('StreamWatcher', () => {
  it.each(apis)('sees in every recorded stream of %s what parsing every event sees', (api, dialect) => {
    const recordings = recordingsOfApi(api).filter(
      (one) =>
        one.response.status === 200 && one.response.stream_format === 'sse' && one.response.body_encoding === 'text',
    );
    expect(recordings.length).toBeGreaterThan(0);
    for (const recording of recordings) {
      const bytes = recordedBytes(recording.response);
      const { hasFinish, whole, ...seen } = watch(dialect, [bytes]);
      const expected = judge(dialect, bytes);
      expect(seen, recording.id).toEqual({ ...expected, hasContent: seen.hasContent });
      expect(seen.hasContent || seen.hasTerminal || seen.error !== undefined, recording.id).toBe(true);
      expect(
        seen.hasTerminal || hasFinish || seen.error !== undefined || recording.features.includes('no_finish_reason'),
        recording.id,
      ).toBe(true);
      expect(whole).toBeGreaterThan(0);
    }
  });

  it('sees the same wherever the bytes are cut, with any line ends', () => {
    for (const [api, dialect] of apis) {
      const recording = recordingsOfApi(api).find(
        (one) => one.response.stream_format === 'sse' && one.response.status === 200,
      );
      if (recording === undefined) continue;
      const text = recordedBytes(recording.response).toString('utf8').replaceAll('\r\n', '\n');
      for (const ends of ['\n', '\r\n', '\r']) {
        const bytes = Buffer.from(text.replaceAll('\n', ends));
        const { whole: _whole, ...expected } = watch(dialect, [bytes]);
        for (let at = 0; at < bytes.length; at += bytes.length > 6000 ? 97 : 13) {
          const { whole, ...seen } = watch(dialect, cut(bytes, at));
          expect(seen, `${recording.id} ${JSON.stringify(ends)} ${at}`).toEqual(expected);
          expect(whole).toBe(_whole);
        }
      }
    }
  });

  it('holds no more than the event that is not whole', () => {
    const watcher = new StreamWatcher(codecOf('openai-chat'));
    expect(watcher.push(Buffer.from('data: {"a":1}\n\ndata: {"b"'))).toBe(15);
    expect(watcher.push(Buffer.from(':1}'))).toBe(0);
    expect(watcher.push(Buffer.from('\n'))).toBe(0);
    expect(watcher.push(Buffer.from('\ndata'))).toBe(1);
  });
});
