/** Whether a native file exports what its kind has to export. */
import { nearestWord } from '../../../config/suggestion.ts';
import { missingSymbol, unknownSymbol, wrongNodeVersion } from './artefact-problems.ts';
import type { ArtefactProblem } from './artefact-problems.ts';
import type { Machine } from './machine.ts';

/** The names of an ABI: what the host looks up in a library or a WebAssembly module. */
export interface SymbolContract {
  /** Each has to be there. */
  readonly required: readonly string[];
  readonly optional: readonly string[];
  /** Exports that begin like this were meant for the host: an unknown one is a slip. */
  readonly prefix: string;
  /** For the message: `bifrost_plugin.h asks for it`. */
  readonly reason: string;
}

/** The first name that is missing, or that was meant to be one of the ABI's and is none. */
export function checkSymbols(
  file: string,
  exports: readonly string[],
  contract: SymbolContract,
): ArtefactProblem | undefined {
  const known = [...contract.required, ...contract.optional];
  const strange = exports.filter((name) => !known.includes(name));
  const missing = contract.required.find((name) => !exports.includes(name));
  if (missing !== undefined) {
    const meant = nearestWord(missing, strange);
    return missingSymbol(file, missing, { why: contract.reason, ...(meant === undefined ? {} : { meant }) });
  }
  const slip = strange.find((name) => name.startsWith(contract.prefix));
  return slip === undefined ? undefined : unknownSymbol(file, slip, nearestWord(slip, contract.optional));
}

const nodeApiSymbol = 'napi_register_module_v1';
/** Older add-ons register themselves when they are loaded, by calling this function of Node's. */
const selfRegistering = ['napi_module_register', 'node_module_register'];

/** An add-on of Node has to register itself by Node-API, or be built for this very version. */
export function checkNodeAddon(
  file: string,
  symbols: { readonly exports: readonly string[]; readonly imports: readonly string[] },
  machine: Machine,
): ArtefactProblem | undefined {
  const { exports, imports } = symbols;
  if (exports.includes(nodeApiSymbol) || imports.some((name) => selfRegistering.includes(name))) return undefined;
  const built = exports.flatMap((name) => /^node_register_module_v(\d+)$/.exec(name)?.[1] ?? []);
  if (built.includes(machine.nodeModuleVersion)) return undefined;
  if (built[0] !== undefined) return wrongNodeVersion(file, built[0], machine);
  const meant = nearestWord(nodeApiSymbol, exports);
  const why = 'an add-on of Node registers itself by Node-API, with NAPI_MODULE_INIT';
  return missingSymbol(file, nodeApiSymbol, { why, ...(meant === undefined ? {} : { meant }) });
}
