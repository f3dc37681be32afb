/** Guests written for one test, in AssemblyScript, compiled into a new folder. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface TextStream {
  toString(): string;
}

interface Compiler {
  main(
    options: readonly string[],
    host: {
      readonly stdout: TextStream;
      readonly stderr: TextStream;
      readFile(name: string): string | null;
      writeFile(name: string, contents: Uint8Array): void;
      listFiles(): readonly string[];
    },
  ): Promise<{ readonly error: Error | null }>;
  createMemoryStream(): TextStream;
}

/** AssemblyScript's compiler. Its own types declare globals that are not Node's, so they are not looked at. */
async function compiler(): Promise<Compiler> {
  const specifier = 'assemblyscript/asc';
  // The part of https://www.assemblyscript.org/compiler.html#programmatic-usage that is used here.
  const { default: asc } = (await import(specifier)) as { readonly default: Compiler };
  return asc;
}

/** Compiles `source` with names for its functions. Throws with the compiler's words. */
export async function compileGuest(source: string, options: readonly string[] = []): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'bifrost-wasm-'));
  const file = join(folder, 'guest.wasm');
  const asc = await compiler();
  const stderr = asc.createMemoryStream();
  const { error } = await asc.main(
    ['guest.ts', '--debug', '--runtime', 'stub', '--outFile', 'guest.wasm', ...options],
    {
      stderr,
      stdout: asc.createMemoryStream(),
      readFile: (name) => (name === 'guest.ts' ? source : null),
      writeFile: (name, contents) => {
        if (name.endsWith('.wasm')) writeFileSync(file, contents);
      },
      listFiles: () => [],
    },
  );
  if (error !== null) throw new Error(`${error.message}\n${stderr.toString()}`);
  return file;
}

/** The exports of our ABI, around a function `call(operation: i32, json: string): string | null` of the test. */
export const border = `
export function bifrost_abi_1(): void {}
export function bifrost_alloc(size: i32): usize { return heap.alloc(size); }
export function bifrost_free(pointer: usize, size: i32): void {}
export function frame(status: u32, json: string): usize {
  const bytes = String.UTF8.encode(json);
  const pointer = heap.alloc(12 + bytes.byteLength);
  store<u32>(pointer, status);
  store<u32>(pointer, bytes.byteLength, 4);
  store<u32>(pointer, 0, 8);
  memory.copy(pointer + 12, changetype<usize>(bytes), bytes.byteLength);
  return pointer;
}
`;

/** A guest whose `preMCPHook` and `preLLMHook` run `body`; `calls` counts the calls of its instance. */
export function hookGuest(body: string, outside = ''): string {
  return `${border}
let calls: i32 = 0;
${outside}
function work(json: string): usize {
  calls += 1;
  ${body}
  return 0;
}
export function bifrost_call(operation: i32, pointer: usize, length: i32): usize {
  if (operation == 0) return frame(0, '{"name":"hostile","hooks":{"preMCPHook":{},"preLLMHook":{}}}');
  if (operation != 25 && operation != 19) return 0;
  return work(String.UTF8.decodeUnsafe(pointer + 12, load<u32>(pointer, 4)));
}
`;
}
