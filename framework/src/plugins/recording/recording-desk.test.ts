import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RecordedCall } from '@bifrost/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readCaptureKey } from './capture-key.ts';
import { readCapture } from './read-capture.ts';
import { captureKeyName, RecordingDesk } from './recording-desk.ts';
import type { RecordingRequest } from './recording-desk.ts';
import type { RecordedBatch } from './recording-order.ts';
import { RecordingTap } from './recording-tap.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'bifrost-desk-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** A desk with the taps of threads, whose batches pass as over a port. */
function gateway(threads: number) {
  const taps: RecordingTap[] = [];
  const ended: string[] = [];
  const desk = new RecordingDesk({
    directory,
    announce: (orders) => {
      for (const tap of taps) tap.follow(orders);
      return taps.length;
    },
    onEnded: (plugin) => ended.push(plugin),
  });
  const join = (): RecordingTap => {
    const tap = new RecordingTap((batch: RecordedBatch) => desk.receive(structuredClone(batch)));
    tap.follow(desk.orders);
    taps.push(tap);
    return tap;
  };
  for (let index = 0; index < threads; index += 1) join();
  return { desk, taps, join, ended };
}

const request = (more: Partial<RecordingRequest> = {}): RecordingRequest => ({
  plugin: 'p',
  filter: {},
  maxRequests: 100,
  maxBytes: 1_000_000,
  maxMs: 60_000,
  ...more,
});

function callOf(requestId: string, more: Partial<RecordedCall> = {}, model?: string): RecordedCall {
  const known = model === undefined ? {} : { provider: 'mock', model };
  const facts = { requestId, requestType: 'chat_completion', method: 'POST', path: '/v1/x', isStream: false, ...known };
  return { facts, plugin: 'p', hook: 'preLLMHook', index: 0, input: {}, values: {}, state: {}, durationMs: 1, ...more };
}

/** A request that comes to a thread: its first call before its model is known, its second after that. */
function pass(tap: RecordingTap, requestId: string, model = 'm'): void {
  const early = callOf(requestId, { hook: 'preRequestHook' });
  if (!tap.wants(early.facts)) return;
  tap.record(early);
  tap.record(callOf(requestId, { index: 1 }, model));
}

const idsIn = (file: string): readonly string[] =>
  readCapture(file, readCaptureKey(join(directory, captureKeyName))).calls.map(({ facts }) => facts.requestId);

describe('a recording of all threads', () => {
  it('has what each took, those included that start or end while it runs', async () => {
    const { desk, taps, join: joinThread } = gateway(2);
    pass(taps[0] as RecordingTap, 'before');
    desk.start(request());
    for (const [index, tap] of taps.entries()) pass(tap, `r${index}`);
    pass(joinThread(), 'late');
    const leaving = taps.shift();
    await leaving?.close();
    pass(taps[0] as RecordingTap, 'last');
    const summary = await desk.stop('p');
    expect(summary).toMatchObject({ requests: 4, calls: 8, leftOut: 0 });
    expect(new Set(idsIn(summary?.file ?? ''))).toEqual(new Set(['r0', 'r1', 'late', 'last']));
    expect(desk.orders).toEqual([]);
    expect(taps.map((tap) => tap.wants(callOf('x').facts))).toEqual([false, false]);
  });

  it('takes no more requests than it may over all threads, whole ones, and then no thread takes any', async () => {
    const { desk, taps } = gateway(4);
    desk.start(request({ maxRequests: 3 }));
    for (let index = 0; index < 40; index += 1) pass(taps[index % 4] as RecordingTap, `r${index}`);
    await expect.poll(() => desk.running('p')?.isTaking).toBe(false);
    expect(taps.some((tap) => tap.wants(callOf('x').facts))).toBe(false);
    const { file = '', requests, calls } = (await desk.stop('p')) ?? {};
    expect([requests, calls]).toEqual([3, 6]);
    expect(new Set(idsIn(file)).size).toBe(3);
  });

  it('is of the requests alone that its filter lets through, also where no model has to be known', async () => {
    const { desk, taps } = gateway(1);
    const tap = taps[0] as RecordingTap;
    desk.start(request({ filter: { path: '/v1/messages' } }));
    const { facts } = callOf('other');
    expect(tap.wants({ ...facts, path: '/v1/chat/completions' })).toBe(false);
    expect(tap.wants({ ...facts, path: '/v1/messages' })).toBe(true);
    await desk.stop('p');
  });

  it('judges a model when it is known, and keeps what came before that', async () => {
    const { desk, taps } = gateway(1);
    const tap = taps[0] as RecordingTap;
    desk.start(request({ filter: { model: 'mock/gpt*' } }));
    pass(tap, 'other', 'claude');
    pass(tap, 'wanted', 'gpt-5');
    // Refused before it had a model.
    tap.wants(callOf('refused').facts);
    tap.record(callOf('refused'));
    const { file = '' } = (await desk.stop('p')) ?? {};
    expect(idsIn(file)).toEqual(['wanted', 'wanted']);
  });

  it('ends without a thread that does not answer, and counts what was no JSON', async () => {
    const { desk, taps, ended } = gateway(1);
    taps.push({ follow: () => undefined } as unknown as RecordingTap);
    desk.start(request());
    const tap = taps[0] as RecordingTap;
    tap.wants(callOf('r').facts);
    tap.record(callOf('r', { output: 7n }));
    tap.record(callOf('r'));
    expect(await desk.stop('p')).toMatchObject({ calls: 1, leftOut: 1 });
    expect(ended).toEqual(['p']);
  });

  it('is one of a plugin at most; its file is read and deleted once it is complete', async () => {
    const { desk } = gateway(1);
    const { file } = desk.start(request());
    expect(() => desk.start(request())).toThrow(/are being recorded already/);
    expect(await desk.files()).toEqual([]);
    await desk.close();
    const [{ name } = { name: '' }] = await desk.files();
    expect(file.endsWith(name)).toBe(true);
    expect((await desk.read(name)).length).toBeGreaterThan(100);
    await desk.delete(name);
    await expect(desk.read(name)).rejects.toThrow(/there is no recording/);
    await expect(desk.read('../plugins.json')).rejects.toThrow(/there is no recording/);
  });
});
