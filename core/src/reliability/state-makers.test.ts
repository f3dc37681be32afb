import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createStateMakersBuffer, makerNumber, StateMakers } from './state-makers.ts';

describe('StateMakers', () => {
  it('finds the maker of what was noted last, and of nothing else', () => {
    const makers = new StateMakers();
    makers.note('resp_1', 5);
    makers.note('resp_2', 7);
    makers.note('resp_1', 9);
    expect([makers.find('resp_1'), makers.find('resp_2'), makers.find('resp_3')]).toEqual([9, 7, undefined]);
  });

  it('never takes one name for another, whatever was noted', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.string({ minLength: 4, maxLength: 80 }), { minLength: 2, maxLength: 200 }),
        (names) => {
          const makers = new StateMakers();
          const [asked, ...noted] = names;
          for (const name of noted) makers.note(name, 3);
          expect(makers.find(asked as string)).toBeUndefined();
        },
      ),
      { numRuns: 200 },
    );
  });

  it('holds tens of thousands of names, and forgets some rather than growing', () => {
    const makers = new StateMakers();
    const names = Array.from({ length: 20_000 }, (_, index) => `resp_${index.toString(16).padStart(48, '0')}`);
    for (const [index, name] of names.entries()) makers.note(name, (index % 100) + 1);
    const found = names.map((name) => makers.find(name));
    const right = found.filter((maker, index) => maker === (index % 100) + 1).length;
    expect(found.filter((maker) => maker !== undefined)).toHaveLength(right);
    expect(right / names.length).toBeGreaterThan(0.8);
  });

  it('is one for all threads', async () => {
    const buffer = createStateMakersBuffer();
    const module = new URL('state-makers.ts', import.meta.url).href;
    const code = `import { workerData } from 'node:worker_threads'; const { StateMakers } = await import(${JSON.stringify(module)});
      new StateMakers(workerData).note('resp_of_a_thread', 11);`;
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`), { workerData: buffer });
    await new Promise((resolve) => worker.once('exit', resolve));
    expect(new StateMakers(buffer).find('resp_of_a_thread')).toBe(11);
  });

  it('numbers a key the same everywhere, and keys of providers apart', () => {
    expect(makerNumber('openai', 'k1')).toBe(makerNumber('openai', 'k1'));
    const numbers = ['k1', 'k2', 'k3'].flatMap((id) => [makerNumber('openai', id), makerNumber('azure', id)]);
    expect(new Set(numbers).size).toBe(6);
  });
});
