import { hookNames } from '@bifrost/sdk';
import type { LLMRequest } from '@bifrost/sdk';
import { describe, expect, it } from 'vitest';
import { chainsOf, trace } from './__tests__/chains-of.ts';
import { readRunningMark, runningMark } from './running-mark.ts';

const request: LLMRequest = { model: 'm', isStream: false, fallbacks: [] };

describe('the mark of the plugin that runs', () => {
  it('says slot and hook, and never both none', () => {
    for (const slotNumber of [0, 1, 4_000_000]) {
      for (const hook of hookNames) {
        expect(readRunningMark(runningMark(slotNumber, hook))).toEqual({ slotNumber, hook });
      }
    }
    expect(readRunningMark(0)).toBeUndefined();
  });

  it('stands in shared memory while a hook runs inline, also one that throws, and is gone after it', async () => {
    const running = new Int32Array(new SharedArrayBuffer(64));
    const seen: unknown[] = [];
    const look = () => void seen.push(readRunningMark(running[0] ?? 0));
    const { chains, open } = chainsOf(
      [
        { name: 'a', preRequestHook: look },
        {
          name: 'b',
          preRequestHook() {
            look();
            throw new Error('x');
          },
          inject: look,
        },
      ],
      { running, firstSlotNumber: 5 },
    );
    const run = open();
    void run.preRequest(request);
    expect(running[0]).toBe(0);
    run.finish(trace);
    await chains.whenIdle();
    expect(seen).toEqual([
      { slotNumber: 5, hook: 'preRequestHook' },
      { slotNumber: 6, hook: 'preRequestHook' },
      { slotNumber: 6, hook: 'inject' },
    ]);
    expect(running[0]).toBe(0);
    expect([...chains.slotNames]).toEqual([
      [5, 'a'],
      [6, 'b'],
    ]);
  });

  it('counts the promises of each plugin that have not settled', async () => {
    const running = new Int32Array(4);
    const gate = Promise.withResolvers<undefined>();
    const { open } = chainsOf([{ name: 'idle' }, { name: 'waits', preRequestHook: () => gate.promise }], { running });
    const outcomes = [open().preRequest(request), open().preRequest(request)];
    expect([...running]).toEqual([0, 0, 2, 0]);
    gate.resolve(undefined);
    for (const outcome of outcomes) await outcome;
    expect([...running]).toEqual([0, 0, 0, 0]);
  });
});
