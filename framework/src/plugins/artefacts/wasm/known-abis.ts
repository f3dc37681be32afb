/** Which ABI a module speaks: by the names of its exports, so that it is known before any of its code runs. */
import { nearestWord } from '../../../config/suggestion.ts';
import type { Signature, WasmBinary } from './binary/read-wasm.ts';
import { wasmError } from './wasm-error.ts';

export type WasmAbi = 'bifrost-plugin/1' | 'bifrost-wasm';

/** Our ABI's tag: an exported function of this name and the ABI's number. Nobody calls it. */
const tagPattern = /^bifrost_abi_(\w+)$/;
const knownTag = 'bifrost_abi_1';

const knownAbis =
  'it loads "bifrost-plugin/1" (the module exports a function `bifrost_abi_1`) and Bifrost\'s own WASM ABI (it exports `get_name`, `init`, `malloc` and hooks such as `pre_hook`)';

/** Hooks of Bifrost's own WASM ABI. */
export const bifrostHooks = [
  'http_pre_hook',
  'http_post_hook',
  'http_stream_chunk_hook',
  'pre_hook',
  'post_hook',
] as const;
export type BifrostHook = (typeof bifrostHooks)[number];

/** What the hooks of older versions are called now. */
const renamedExports: Readonly<Record<string, string>> = { http_intercept: 'http_pre_hook' };

interface ExportRule {
  readonly signatures: readonly Signature[];
  readonly isRequired: boolean;
}

const call: ExportRule = { signatures: ['(i32, i32) -> i64'], isRequired: false };

const rules: { readonly [Abi in WasmAbi]: Readonly<Record<string, ExportRule>> } = {
  'bifrost-plugin/1': {
    bifrost_alloc: { signatures: ['(i32) -> i32'], isRequired: true },
    bifrost_call: { signatures: ['(i32, i32, i32) -> i32'], isRequired: true },
    bifrost_free: { signatures: ['(i32, i32) -> nothing'], isRequired: false },
  },
  'bifrost-wasm': {
    malloc: { signatures: ['(i32) -> i32'], isRequired: true },
    free: { signatures: ['(i32) -> nothing', '(i32, i32) -> nothing'], isRequired: false },
    get_name: { signatures: ['() -> i64'], isRequired: true },
    init: { signatures: ['(i32, i32) -> i32'], isRequired: true },
    cleanup: { signatures: ['() -> i32'], isRequired: false },
    http_pre_hook: call,
    http_post_hook: call,
    http_stream_chunk_hook: call,
    pre_hook: call,
    post_hook: call,
  },
};

/** TinyGo keeps `malloc` and `free` for itself: its guests export these, which come first then. */
export const otherNames: Readonly<Record<string, string>> = { malloc: 'plugin_malloc', free: 'plugin_free' };

function functionsOf(binary: WasmBinary): ReadonlyMap<string, Signature> {
  return new Map(
    binary.exports.flatMap(({ name, kind, signature }) =>
      kind === 'function' && signature !== undefined ? [[name, signature]] : [],
    ),
  );
}

/** Finds the ABI's tag. Throws PluginError for one that is not known, and where there is none. */
export function detectAbi(plugin: string, binary: WasmBinary): WasmAbi {
  const names = binary.exports.map(({ name }) => name);
  if (names.includes(knownTag)) return 'bifrost-plugin/1';
  const tags = names
    .filter((name) => tagPattern.test(name))
    .map((name) => name.replace(tagPattern, 'bifrost-plugin/$1'));
  if (tags.length > 0) {
    throw wasmError(
      plugin,
      'BF_PLUGIN_WASM_ABI',
      `it speaks ${tags.join(', ')}, and this gateway does not: ${knownAbis}. Build the plugin for one of these, or use a newer gateway`,
    );
  }
  const isBifrosts = names.includes('get_name') || bifrostHooks.some((hook) => names.includes(hook));
  if (isBifrosts) return 'bifrost-wasm';
  const slip = names.find((name) => nearestWord(name, [knownTag, 'get_name']) !== undefined);
  const meant = slip === undefined ? undefined : nearestWord(slip, [knownTag, 'get_name']);
  throw wasmError(
    plugin,
    'BF_PLUGIN_WASM_ABI',
    `it does not say which ABI it speaks${meant === undefined ? '' : ` (it exports "${slip}"; did you mean "${meant}"?)`}: ${knownAbis}`,
  );
}

function missing(plugin: string, wanted: string, names: readonly string[], known: readonly string[]): Error {
  // An export that is right as it stands is no misspelling of another.
  const slip = nearestWord(
    wanted,
    names.filter((name) => !known.includes(name)),
  );
  return wasmError(
    plugin,
    'BF_PLUGIN_WASM_EXPORT',
    `it does not export the function "${wanted}"${slip === undefined ? '' : `; it exports "${slip}": did you mean "${wanted}"?`}`,
  );
}

/** Checks the names and signatures of what the ABI asks for. Throws PluginError with the first fault. */
export function checkExports(plugin: string, abi: WasmAbi, binary: WasmBinary): void {
  const functions = functionsOf(binary);
  const names = [...functions.keys()];
  const asked = rules[abi];
  const known = [...Object.keys(asked), ...Object.values(otherNames)];
  for (const [name, { signatures, isRequired }] of Object.entries(asked)) {
    const other = otherNames[name];
    const present = other !== undefined && functions.has(other) ? other : name;
    const signature = functions.get(present);
    if (signature === undefined) {
      if (isRequired) throw missing(plugin, name, names, known);
      continue;
    }
    if (signatures.includes(signature)) continue;
    throw wasmError(
      plugin,
      'BF_PLUGIN_WASM_EXPORT',
      `its export "${present}" is ${signature}; expected ${signatures.join(' or ')}`,
    );
  }
  if (abi === 'bifrost-wasm') checkHookNames(plugin, names);
}

/** A misspelt hook would otherwise never be called, in silence. */
function checkHookNames(plugin: string, names: readonly string[]): void {
  const known: readonly string[] = bifrostHooks;
  for (const name of names) {
    if (known.includes(name)) continue;
    const meant = renamedExports[name] ?? (/_?hook$/i.test(name) ? nearestWord(name, known) : undefined);
    if (meant === undefined && !name.endsWith('_hook')) continue;
    throw wasmError(
      plugin,
      'BF_PLUGIN_WASM_EXPORT',
      `it exports "${name}", which is no hook of this ABI${meant === undefined ? ` (${known.join(', ')})` : `; did you mean "${meant}"?`}`,
    );
  }
  if (!known.some((hook) => names.includes(hook))) {
    throw wasmError(plugin, 'BF_PLUGIN_WASM_EXPORT', `it exports no hook: at least one of ${known.join(', ')}`);
  }
}
