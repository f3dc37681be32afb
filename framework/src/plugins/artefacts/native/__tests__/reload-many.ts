/**
 * Reloads the library of its first argument 300 times, as the gateway does: the new one is loaded and called before the old one is
 * unloaded. Prints, as JSON, what the process holds after each 50. Run with --expose-gc.
 */
import { readFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { requestFor, runPlugin } from './load-native.ts';

const [, , file = ''] = process.argv;
const mapped = (part: string): number =>
  readFileSync('/proc/self/maps', 'utf8')
    .split('\n')
    .filter((line) => line.includes(part)).length;
const event = { type: 'text-delta', part: '0', text: 'x' };
const start = (stamp: number) => runPlugin(requestFor(file, { name: 'reloaded' }), { stamp: String(stamp) });

const held: object[] = [];
let wrong = 0;
let current = await start(0);
for (let generation = 1; generation <= 300; generation++) {
  const next = await start(generation);
  for (const [plugin, stamp] of [
    [next, generation],
    [current, generation - 1],
  ] as const) {
    const [stamped] = plugin.call('streamEventHook', event) as readonly { readonly text: string }[];
    if (stamped?.text !== `[${stamp}]x`) wrong += 1;
  }
  await current.unload();
  current = next;
  if (generation % 50 !== 0) continue;
  for (let round = 0; round < 3; round++) {
    globalThis.gc?.();
    await setImmediate();
  }
  const { rss, arrayBuffers } = process.memoryUsage();
  held.push({
    libraries: mapped('/reloaded-'),
    mappings: mapped('-'),
    residentBytes: rss,
    arrayBufferBytes: arrayBuffers,
  });
}
await current.unload();
process.stdout.write(JSON.stringify({ wrong, held, left: mapped('/reloaded-') }));
