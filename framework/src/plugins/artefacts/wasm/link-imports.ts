/** What a module may import, and an exact word about what it may not. */
import { nearestWord } from '../../../config/suggestion.ts';
import type { WasmBinary, WasmImport } from './binary/read-wasm.ts';
import { assemblyScriptFunctions } from './assemblyscript-functions.ts';
import { HostScope } from './host-scope.ts';
import { hostFunctions } from './host-functions.ts';
import { GrantedPaths } from './wasi/granted-paths.ts';
import { createWasi, wasiModule } from './wasi/wasi-functions.ts';
import type { Wasi } from './wasi/wasi-functions.ts';
import { wasmError } from './wasm-error.ts';

const hostModule = 'bifrost';
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

type Functions = Readonly<Record<string, (...values: never[]) => unknown>>;

/** The functions of each module that a guest may import from. */
function givenModules(scope: HostScope, wasi: Wasi): ReadonlyMap<string, Functions> {
  const host = Object.entries(hostFunctions(scope)).map(([name, { call }]) => [name, call] as const);
  return new Map<string, Functions>([
    [hostModule, Object.fromEntries(host)],
    [wasiModule, wasi.functions],
    [environmentModule, assemblyScriptFunctions(scope)],
  ]);
}

/** A scope whose functions are looked at and never called. */
function emptyScope(): HostScope {
  const ignore = (): void => undefined;
  return new HostScope({ debug: ignore, info: ignore, warn: ignore, error: ignore });
}

/** Throws PluginError that names all imports which cannot be given. */
export function checkImports(plugin: string, binary: WasmBinary): void {
  const scope = emptyScope();
  const host = hostFunctions(scope);
  const wasi = createWasi({ scope, environment: [], paths: new GrantedPaths({}, '.') });
  const given = givenModules(scope, wasi);
  const known = new Map([...given].map(([module, functions]) => [module, Object.keys(functions)]));
  const faults = binary.imports.flatMap((wanted) => {
    const { module, name, kind, signature } = wanted;
    // The guest's memory is made for it by whoever instantiates the module.
    if (kind === 'memory') return [];
    if (kind !== 'function' || known.get(module)?.includes(name) !== true) {
      return [`${module}.${name}: ${explain(wanted, known)}`];
    }
    const expected = module === hostModule ? host[name]?.signature : undefined;
    return expected === undefined || expected === signature
      ? []
      : [`${module}.${name}: it is imported as ${signature}, and is ${expected}`];
  });
  if (faults.length === 0) return;
  const shown = faults.slice(0, 5).join('; ');
  const more = faults.length > 5 ? `; and ${faults.length - 5} more` : '';
  throw wasmError(plugin, 'BF_PLUGIN_WASM_IMPORT', `it imports what is not given to it: ${shown}${more}`);
}

/** The imports of one plugin's module, the same for each of its instances; `checkImports` has passed. */
export function linkImports(binary: WasmBinary, scope: HostScope, wasi: Wasi): WebAssembly.Imports {
  const given = givenModules(scope, wasi);
  const imports: Record<string, Record<string, WebAssembly.ImportValue>> = {};
  for (const { module, name } of binary.imports) {
    const call = given.get(module)?.[name];
    if (call !== undefined) (imports[module] ??= {})[name] = call;
  }
  return imports;
}
