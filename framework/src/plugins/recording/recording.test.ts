import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RecordedCall } from '@bifrost/core';
import { openCaptureKey, readCaptureKey } from './capture-key.ts';
import { CaptureRecorder } from './capture-recorder.ts';
import type { CaptureOptions, CaptureSummary } from './capture-recorder.ts';
import { readCapture } from './read-capture.ts';

let folder = '';
let key: Buffer;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'bifrost-recording-'));
  key = openCaptureKey(join(folder, 'recordings.key'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const factsOf = (requestId: string): RecordedCall['facts'] => ({
  requestId,
  requestType: 'chat_completion',
  method: 'POST',
  path: '/v1/chat/completions',
  isStream: false,
});

const call = (more: Partial<RecordedCall> = {}): RecordedCall => ({
  facts: factsOf('r1'),
  plugin: 'p',
  hook: 'preLLMHook',
  index: 0,
  input: { model: 'm', isStream: false, fallbacks: [], body: new Uint8Array([0, 255, 10]) },
  output: { error: { statusCode: 403, message: 'a secret prompt', origin: 'plugin' } },
  values: { 'other/key': 1 },
  state: { seen: true },
  durationMs: 0.25,
  ...more,
});

const recorder = (more: Partial<CaptureOptions> = {}): CaptureRecorder =>
  new CaptureRecorder({ plugin: 'p', directory: folder, key, ...more });

async function record(calls: readonly RecordedCall[], more: Partial<CaptureOptions> = {}): Promise<CaptureSummary> {
  const made = recorder(more);
  made.wants(factsOf('r1'));
  for (const each of calls) made.record(each);
  return made.close();
}

describe('a recording', () => {
  it('gives back every call as it was, bytes and all', async () => {
    const calls = [
      call(),
      call({ index: 1, hook: 'inject', input: { latencyMs: 1 }, isStream: true }),
      call({ index: 2 }),
    ];
    const { file, calls: count, requests, leftOut } = await record(calls);
    expect([count, requests, leftOut]).toEqual([3, 1, 0]);
    const capture = readCapture(file, key);
    expect(capture.calls).toEqual(calls);
    expect(capture.header).toMatchObject({ plugin: 'p', version: 1 });
    expect(capture.end).toEqual({ calls: 3, requests: 1, leftOut: 0 });
  });

  it('gives back any JSON', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.jsonValue(), { maxLength: 5 }), async (inputs) => {
        const calls = inputs.map((input, index) => call({ input: JSON.parse(JSON.stringify(input)), index }));
        const { file } = await record(calls);
        expect(readCapture(file, key).calls).toEqual(calls);
        rmSync(file);
      }),
      { numRuns: 20 },
    );
  });

  it("has nothing readable in it but the plugin and the time, and is its owner's alone", async () => {
    const { file } = await record([call()]);
    const text = readFileSync(file, 'latin1');
    expect(text).not.toContain('secret prompt');
    expect(text).not.toContain('preLLMHook');
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('keeps the calls of its plugin only, and of requests that are wanted', async () => {
    const made = recorder({ isWanted: ({ path }) => path === '/other' });
    expect(made.wants(factsOf('r1'))).toBe(false);
    made.record(call({ plugin: 'another' }));
    made.record(call());
    expect(await made.close()).toMatchObject({ calls: 0, requests: 0 });
  });

  it('takes no more requests than it may, nor after its time', async () => {
    const made = recorder({ maxRequests: 2 });
    expect(['a', 'b', 'c'].map((id) => made.wants(factsOf(id)))).toEqual([true, true, false]);
    await made.close();
    const late = recorder({ maxMs: 0 });
    expect(late.wants(factsOf('a'))).toBe(false);
    await late.close();
  });

  it('stays within its bytes, and says what was left out', async () => {
    const calls = Array.from({ length: 1000 }, (_, index) => call({ index, input: 'x'.repeat(1000) }));
    const { file, bytes, calls: kept, leftOut } = await record(calls, { maxBytes: 100_000 });
    expect(kept).toBeGreaterThan(50);
    expect(kept + leftOut).toBe(1000);
    expect(bytes).toBe(statSync(file).size);
    // The last frame comes on top.
    expect(bytes).toBeLessThan(101_000);
    expect(readCapture(file, key).end?.leftOut).toBe(leftOut);
  });

  it('does not throw for what is no JSON, and goes on', async () => {
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    const { calls, leftOut } = await record([call({ output: cycle }), call({ input: 7n }), call()]);
    expect([calls, leftOut]).toEqual([1, 2]);
  });

  it('says why where the disk fails, and nothing throws', async () => {
    // The name has a folder in it that is not there.
    const made = recorder({ plugin: 'gone/p' });
    made.wants(factsOf('r1'));
    made.record(call({ plugin: 'gone/p' }));
    const { failure } = await made.close();
    expect(failure).toContain('ENOENT');
    expect(made.isRecording).toBe(false);
    made.record(call({ plugin: 'gone/p' }));
  });

  it('costs the request next to nothing: a call is only put into a list', () => {
    const made = recorder();
    made.wants(factsOf('r1'));
    const big = call({ input: { text: 'x'.repeat(1_000_000) } });
    const startedAt = performance.now();
    for (let at = 0; at < 1000; at += 1) made.record(big);
    // A gigabyte as JSON would take seconds.
    expect(performance.now() - startedAt).toBeLessThan(500);
  });
});

describe('reading', () => {
  it.each([
    ['another key', (file: string) => readCapture(file, Buffer.alloc(32)), /another key, or the file was changed/],
    [
      'one changed byte',
      (file: string) => {
        const bytes = readFileSync(file);
        bytes[bytes.length - 3] = (bytes[bytes.length - 3] ?? 0) ^ 1;
        writeFileSync(file, bytes);
        return readCapture(file, key);
      },
      /was changed/,
    ],
    [
      'a first line of another file',
      (file: string) => {
        writeFileSync(file, readFileSync(file, 'latin1').replace('"plugin":"p"', '"plugin":"q"'), 'latin1');
        return readCapture(file, key);
      },
      /was changed/,
    ],
    [
      'something after the end',
      (file: string) => {
        appendFileSync(file, Buffer.concat([Buffer.from([0, 0, 0, 28]), Buffer.alloc(28)]));
        return readCapture(file, key);
      },
      /something after its end/,
    ],
    [
      'a file that is no recording',
      (file: string) => {
        writeFileSync(file, '{"plugins":[]}\n');
        return readCapture(file, key);
      },
      /no recording of hook calls/,
    ],
  ])('refuses %s', async (_, read, message) => {
    const { file } = await record([call()]);
    expect(() => read(file)).toThrow(message);
  });

  it('takes what is whole of a file that was cut off, and knows that it has no end', async () => {
    const { file } = await record([call()]);
    truncateSync(file, statSync(file).size - 10);
    const capture = readCapture(file, key);
    expect(capture.calls).toEqual([call()]);
    expect(capture.end).toBeUndefined();
  });
});

describe('the key', () => {
  it('is made once, readable by its owner alone, and the same from then on', () => {
    const file = join(folder, 'sub/recordings.key');
    const keys = Array.from({ length: 5 }, () => openCaptureKey(file).toString('hex'));
    expect(new Set(keys).size).toBe(1);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readCaptureKey(file)).toHaveLength(32);
  });

  it('is never in a message', () => {
    const file = join(folder, 'broken.key');
    writeFileSync(file, 'c2VjcmV0LWtleQ==');
    expect(() => openCaptureKey(file)).toThrow(/has no key in it/);
    try {
      readCaptureKey(file);
    } catch (error) {
      expect(String(error)).not.toContain('c2VjcmV0');
    }
  });
});
