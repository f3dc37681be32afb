/** All that can be said of a WebAssembly plugin without compiling or running it: for the loader, and for checks offline. */
import { WasmFormatError } from './binary/byte-reader.ts';
import { pageBytes } from './binary/cap-memory.ts';
import { readWasm } from './binary/read-wasm.ts';
import type { WasmBinary } from './binary/read-wasm.ts';
import { checkExports, detectAbi } from './known-abis.ts';
import type { WasmAbi } from './known-abis.ts';
import { checkImports } from './link-imports.ts';
import { wasmError } from './wasm-error.ts';

/** What a plugin's memory may grow to where its entry does not say. */
const defaultMaxMemoryBytes = 64 * 1024 * 1024;

/** The greatest that a 32-bit memory can be. */
const maxPages = 65_536;

export interface WasmFile {
  /** For messages. */
  readonly file: string;
  readonly bytes: Uint8Array;
  /** @default 64 MiB */
  readonly maxMemoryBytes?: number;
}

export interface ExaminedWasm {
  readonly binary: WasmBinary;
  readonly abi: WasmAbi;
  /** What its memory may grow to, in pages of 64 KiB. */
  readonly maxPages: number;
}

function read(plugin: string, { file, bytes }: WasmFile): WasmBinary {
  try {
    return readWasm(bytes);
  } catch (thrown) {
    if (!(thrown instanceof WasmFormatError)) throw thrown;
    throw wasmError(
      plugin,
      'BF_PLUGIN_WASM_INVALID',
      `${file} cannot be loaded: ${thrown.message} (at byte ${thrown.offset})`,
      thrown,
    );
  }
}

/** The cap in pages. Throws PluginError where the module asks for more from the start. */
function pageCap(plugin: string, binary: WasmBinary, maxMemoryBytes: number): number {
  const pages = Math.min(maxPages, Math.floor(maxMemoryBytes / pageBytes));
  const [memory] = [
    ...binary.memories,
    ...binary.imports.flatMap(({ limits }) => (limits === undefined ? [] : [limits])),
  ];
  if (memory === undefined) {
    throw wasmError(plugin, 'BF_PLUGIN_WASM_MEMORY', 'it has no memory: it must define one and export it as "memory"');
  }
  if (memory.minimum <= pages) return pages;
  throw wasmError(
    plugin,
    'BF_PLUGIN_WASM_MEMORY',
    `it begins with ${memory.minimum * pageBytes} bytes of memory, and is allowed ${maxMemoryBytes}: ` +
      "build it with less, or raise the plugin's memory limit",
  );
}

/** Checks form, ABI, exports, imports and memory of a module. Throws PluginError with the first fault. */
export function examineWasm(plugin: string, file: WasmFile): ExaminedWasm {
  const binary = read(plugin, file);
  const abi = detectAbi(plugin, binary);
  checkExports(plugin, abi, binary);
  const pages = pageCap(plugin, binary, file.maxMemoryBytes ?? defaultMaxMemoryBytes);
  checkImports(plugin, binary);
  return { binary, abi, maxPages: pages };
}
