import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { committed } from '../__tests__/example-files.ts';
import { WasmFormatError } from './byte-reader.ts';
import { capMemory } from './cap-memory.ts';
import { readWasm } from './read-wasm.ts';

const head = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const examples = [
  committed('wasm-c'),
  committed('wasm-c-wasi'),
  committed('wasm-rust'),
  committed('wasm-assemblyscript'),
  committed('wasm-bifrost-abi', 'guest-assemblyscript.wasm'),
].map((file) => new Uint8Array(readFileSync(file)));

function faultOf(bytes: readonly number[]): string {
  try {
    readWasm(Uint8Array.from(bytes));
  } catch (thrown) {
    if (thrown instanceof WasmFormatError) return thrown.message;
    throw thrown;
  }
  return 'it was read';
}

describe('reading a module', () => {
  it('finds imports and exports with their signatures, and the memory', () => {
    const binary = readWasm(new Uint8Array(readFileSync(committed('wasm-c'))));
    const signatures = Object.fromEntries(binary.exports.map(({ name, signature }) => [name, signature]));
    expect(signatures).toEqual({
      memory: undefined,
      bifrost_abi_1: '() -> nothing',
      bifrost_alloc: '(i32) -> i32',
      bifrost_free: '(i32, i32) -> nothing',
      bifrost_call: '(i32, i32, i32) -> i32',
    });
    expect(binary.imports).toContainEqual({
      module: 'bifrost',
      name: 'shared_add',
      kind: 'function',
      signature: '(i32, i32, f64) -> f64',
    });
    expect(binary.memories).toHaveLength(1);
  });

  it.each<[string, number[], string]>([
    ['an empty file', [], 'it is not a WebAssembly file'],
    ['a text', [...Buffer.from('hello, world')], 'it is not a WebAssembly file'],
    ['a component', [0, 0x61, 0x73, 0x6d, 13, 0, 1, 0], 'it is a component (WASI preview 2)'],
    ['another version', [0, 0x61, 0x73, 0x6d, 2, 0, 0, 0], 'it has version 2.0.0.0'],
    ['a section that is cut off', [...head, 1, 10, 0], 'section 1 says 10 bytes, but 1 follow'],
    ['a count beyond the end', [...head, 1, 5, 0xff, 0xff, 0xff, 0xff, 0x0f], 'more than what follows'],
    ['a number of more than 32 bits', [...head, 1, 6, 0xff, 0xff, 0xff, 0xff, 0xff, 1], 'does not fit in 32 bits'],
    ['a garbage-collected type', [...head, 1, 3, 1, 0x5f, 0], 'it defines garbage-collected types'],
    ['a shared memory', [...head, 5, 4, 1, 3, 1, 1], 'it has a shared memory: threads are not supported'],
    ['a 64-bit memory', [...head, 5, 3, 1, 4, 1], 'it has a 64-bit memory: build it for wasm32'],
    ['two memories', [...head, 5, 5, 2, 0, 1, 0, 1], 'it has 2 memories: one is supported'],
    ['a maximum below the minimum', [...head, 5, 4, 1, 1, 2, 1], 'the maximum of its memory is below the minimum'],
    ['a section that is there twice', [...head, 1, 1, 0, 1, 1, 0], 'section 1 is there twice'],
    [
      'nothing but sections',
      [...head, ...Array.from({ length: 10_001 }, () => [0, 1, 0]).flat()],
      'it has more than 10000 sections',
    ],
    // Ten million elements, of 8 bytes each in the host, twice.
    [
      'tables past all bounds',
      [...head, 4, 13, 2, 0x70, 0, 0x80, 0xad, 0xe2, 4, 0x70, 0, 0x80, 0xad, 0xe2, 4],
      'it has 2 tables that begin with 20000000 elements',
    ],
    [
      'more tables than anybody needs',
      [...head, 4, 0xc4, 1, 65, ...Array.from({ length: 65 }, () => [0x70, 0, 1]).flat()],
      'it has 65 tables',
    ],
    ['a name that is no UTF-8', [...head, 7, 5, 1, 1, 0xff, 0, 0], "an export's name is not UTF-8"],
  ])('%s is refused with its reason', (_what, bytes, words) => {
    expect(faultOf(bytes)).toContain(words);
  });

  it('reads any bytes to an end, and throws nothing but its own error', () => {
    const mutated = fc
      .tuple(
        fc.nat({ max: examples.length - 1 }),
        fc.array(fc.tuple(fc.nat(4000), fc.nat(255)), { maxLength: 12 }),
        fc.nat(40_000),
      )
      .map(([index, changes, length]) => {
        const bytes = (examples[index] ?? new Uint8Array()).slice(0, Math.max(8, length));
        for (const [at, value] of changes) bytes[8 + (at % Math.max(1, bytes.length - 8))] = value;
        return bytes;
      });
    const random = fc.uint8Array({ maxLength: 200 }).map((rest) => Uint8Array.from([...head, ...rest]));
    fc.assert(
      fc.property(fc.oneof(mutated, random, fc.uint8Array({ maxLength: 64 })), (bytes) => {
        try {
          const binary = readWasm(bytes);
          // What can be read can be written with a cap.
          expect(capMemory(bytes, binary, 1000).length).toBeGreaterThanOrEqual(8);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(WasmFormatError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('capping the memory', () => {
  it('leaves a valid module, whose limits are the lower of its own and the cap', async () => {
    for (const bytes of examples) {
      const capped = capMemory(bytes, readWasm(bytes), 300);
      await expect(WebAssembly.compile(capped)).resolves.toBeDefined();
      const { memories, tables } = readWasm(capped);
      for (const { maximum } of memories) expect(maximum).toBeLessThanOrEqual(300);
      for (const { limits } of tables) expect(limits.maximum).toBeLessThanOrEqual(65_536);
    }
  });

  it.each([
    [[5, 3, 1, 0, 1], 7, { minimum: 1, maximum: 7 }],
    [[5, 4, 1, 1, 1, 3], 7, { minimum: 1, maximum: 3 }],
    [[5, 5, 1, 1, 1, 0x80, 2], 7, { minimum: 1, maximum: 7 }],
  ])('%j with a cap of %d pages becomes %j', (section, pages, limits) => {
    const bytes = Uint8Array.from([...head, ...section]);
    expect(readWasm(capMemory(bytes, readWasm(bytes), pages)).memories).toEqual([limits]);
  });
});
