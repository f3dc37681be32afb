/** The loader of WebAssembly plugins: docs/plugins/wasm-abi.md. */
import type { ArtefactLoader } from '../artefact-loader.ts';
import { processEnvironment } from '../../../config/process-environment.ts';
import { loadWasm } from './load-wasm.ts';

export { examineWasm } from './examine-wasm.ts';
export type { ExaminedWasm, WasmFile } from './examine-wasm.ts';

export const wasmLoader: ArtefactLoader = {
  kind: 'wasm',
  load: (request) => loadWasm(request, processEnvironment()),
};
