/** What a module may import, and an exact word about what it may not. */
import { nearestWord } from '../../../config/suggestion.ts';
import type { WasmBinary, WasmImport } from './binary/read-wasm.ts';
import { assemblyScriptFunctions } from './assemblyscript-functions.ts';
import type { HostScope } from './host-scope.ts';
import { hostFunctions } from './host-functions.ts';
import { wasiModule } from './wasi/wasi-functions.ts';
import type { Wasi } from './wasi/wasi-functions.ts';
import { wasmError } from './wasm-error.ts';

export const hostModule = 'bifrost';
const environmentModule = 'env';

const laterWasi = /^wasi(_unstable$|:|_snapshot_preview2)/;

function explain({ module, name, kind }: WasmImport, known: ReadonlyMap<string, readonly string[]>): string {
  if (kind !== 'function') return `a ${kind} cannot be imported: let the module define it itself`;
  const names = known.get(module);
  if (names !== undefined && module !== environmentModule) {
    const meant = nearestWord(name, names);
    const functions = module === hostModule ? `; it has ${names.join(', ')}` : '';
    return `there is no such function${meant === undefined ? functions : `: did you mean "${meant}"?`}`;
  }
  if (laterWasi.test(module)) return `of WASI, preview 1 (\`${wasiModule}\`) is given: build for wasm32-wasip1`;
  if (module === 'wasi_snapshot_preview1') return 'it is not part of WASI preview 1';
  if (/^(gojs|go)$/.test(module)) return 'it was built for a browser: use GOOS=wasip1 or TinyGo with -target=wasi';
  if (module.startsWith('__wbindgen')) return 'it was built with wasm-bindgen for a browser: build without it';
  if (/^emscripten|^a$/.test(module) || /^emscripten_|^invoke_/.test(name)) {
    return 'it was built by Emscripten for JavaScript: use -sSTANDALONE_WASM, or clang for wasm32-wasi';
  }
  if (module === environmentModule) return 'a symbol that was not found when the module was linked: link its library';
  return 'no capability grants it: a wasm plugin that needs more than its ABI gives has to run as a module, or over gRPC';
}

/** The imports of one plugin's module, the same for each of its instances. Throws PluginError naming all that cannot be given. */
export function linkImports(plugin: string, binary: WasmBinary, scope: HostScope, wasi: Wasi): WebAssembly.Imports {
  const host = hostFunctions(scope);
  const assemblyScript = assemblyScriptFunctions(scope);
  const known = new Map([
    [hostModule, Object.keys(host)],
    [wasiModule, Object.keys(wasi.functions)],
    [environmentModule, Object.keys(assemblyScript)],
  ]);
  const faults: string[] = [];
  const imports: Record<string, Record<string, WebAssembly.ImportValue>> = {};
  for (const wanted of binary.imports) {
    const { module, name, kind } = wanted;
    // The guest's memory is made for it by whoever instantiates the module.
    if (kind === 'memory') continue;
    const given = kind === 'function' ? giver(module, name, { host, wasi, assemblyScript }) : undefined;
    if (given === undefined) {
      faults.push(`${module}.${name}: ${explain(wanted, known)}`);
      continue;
    }
    const expected = module === hostModule ? host[name]?.signature : undefined;
    if (expected !== undefined && expected !== wanted.signature) {
      faults.push(`${module}.${name}: it is imported as ${wanted.signature}, and is ${expected}`);
    }
    (imports[module] ??= {})[name] = given;
  }
  if (faults.length === 0) return imports;
  const shown = faults.slice(0, 5).join('; ');
  const more = faults.length > 5 ? `; and ${faults.length - 5} more` : '';
  throw wasmError(plugin, 'BF_PLUGIN_WASM_IMPORT', `it imports what is not given to it: ${shown}${more}`);
}

type Functions = Readonly<Record<string, (...values: never[]) => unknown>>;

function giver(
  module: string,
  name: string,
  given: {
    readonly host: ReturnType<typeof hostFunctions>;
    readonly wasi: Wasi;
    readonly assemblyScript: Functions;
  },
): WebAssembly.ImportValue | undefined {
  const own = (functions: Functions): unknown => (Object.hasOwn(functions, name) ? functions[name] : undefined);
  if (module === hostModule) return Object.hasOwn(given.host, name) ? importable(given.host[name]?.call) : undefined;
  if (module === wasiModule) return importable(own(given.wasi.functions));
  return module === environmentModule ? importable(own(given.assemblyScript)) : undefined;
}

function importable(value: unknown): WebAssembly.ImportValue | undefined {
  // Each function takes the values of its signature, which WebAssembly sees to.
  return typeof value === 'function' ? (value as WebAssembly.ImportValue) : undefined;
}
