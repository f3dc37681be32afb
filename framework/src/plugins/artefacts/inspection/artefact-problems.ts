/**
 * What can be wrong with an artefact, found before any of its code runs: for each case one sentence with what was found, what
 * was expected and what to do. `docs/plugins/troubleshooting.md` lists them, and a test holds the two together.
 */
import type { BinaryFault } from './byte-view.ts';
import { formatNames } from './detect-format.ts';
import type { FileFormat } from './detect-format.ts';
import { buildAdvice } from './build-advice.ts';
import type { Origin } from './build-advice.ts';
import { libcName, osName } from './machine.ts';
import type { Machine } from './machine.ts';

/** One thing that keeps an artefact from being loaded. */
export interface ArtefactProblem {
  readonly code: string;
  /** Cause and remedy, without the plugin's name in front. */
  readonly message: string;
}

const porting = 'docs/plugins/troubleshooting.md#go-plugins-of-bifrost';

export function wrongSystem(
  file: string,
  found: { readonly format: FileFormat; readonly architecture: string },
  machine: Machine,
): ArtefactProblem {
  const here = `${osName(machine.os)} (${machine.architecture})`;
  return {
    code: 'BF_PLUGIN_WRONG_SYSTEM',
    message:
      `${file} is ${formatNames[found.format]} for ${found.architecture}, and this gateway runs on ${here}: ` +
      `build it for ${osName(machine.os)} (${buildAdvice(machine)})`,
  };
}

export function wrongArchitecture(
  file: string,
  found: { readonly architecture: string; readonly origin: Origin },
  machine: Machine,
): ArtefactProblem {
  return {
    code: 'BF_PLUGIN_WRONG_ARCHITECTURE',
    message:
      `${file} is built for ${found.architecture}, and this gateway runs on ${machine.architecture}: ` +
      `build it for ${machine.architecture} (${buildAdvice(machine, found.origin)})`,
  };
}

/** `needs`: what of the other C library the file names. */
export function wrongLibc(
  file: string,
  found: { readonly kind: 'glibc' | 'musl'; readonly needs: string; readonly loader: string },
  machine: Machine,
): ArtefactProblem {
  const here = machine.libc === undefined ? 'another C library' : libcName(machine.libc);
  const where =
    found.kind === 'musl'
      ? 'build it on a system with glibc, such as Debian (golang:1-bookworm, rust:1-bookworm), or run the gateway on Alpine'
      : 'build it on a system with musl, such as Alpine (golang:1-alpine, rust:1-alpine), or run the gateway on Debian';
  return {
    code: 'BF_PLUGIN_WRONG_LIBC',
    message:
      `${file} is linked with ${found.kind} (it needs ${found.needs} and the loader ${found.loader}), ` +
      `and this gateway runs on ${here}: ${where}`,
  };
}

export function oldLibc(
  file: string,
  need: { readonly version: string; readonly library: string; readonly needer?: string },
  machine: Machine,
): ArtefactProblem {
  const have = machine.libc?.version ?? 'an older one';
  return {
    code: 'BF_PLUGIN_LIBRARY_VERSION',
    message:
      `${file} needs ${need.version} of ${need.library}${through(need.needer)}, and this machine has glibc ${have}: ` +
      `build it on a system with glibc ${have} or older, or run the gateway on a newer system`,
  };
}

export function oldLibrary(
  file: string,
  need: { readonly version: string; readonly library: string; readonly path: string; readonly needer?: string },
): ArtefactProblem {
  return {
    code: 'BF_PLUGIN_LIBRARY_VERSION',
    message:
      `${file} needs ${need.version} of ${need.library}${through(need.needer)}, which ${need.path} does not have: ` +
      `install a newer ${need.library}, or build the plugin on a system like this one`,
  };
}

function through(needer: string | undefined): string {
  return needer === undefined ? '' : ` (through ${needer})`;
}

export function missingLibrary(
  file: string,
  need: {
    readonly library: string;
    readonly needer?: string;
    readonly places: string;
    readonly others: readonly string[];
  },
): ArtefactProblem {
  const others = need.others.length === 0 ? '' : `; it has ${need.others.slice(0, 3).join(', ')} instead`;
  return {
    code: 'BF_PLUGIN_LIBRARY_MISSING',
    message:
      `${file} needs the shared library ${need.library}${through(need.needer)}, which is not on this machine${others} ` +
      `(looked in ${need.places}): install the package that has it, link it statically, ` +
      `or put it beside the plugin and link with -Wl,-rpath,'$ORIGIN'`,
  };
}

export function goPlugin(file: string): ArtefactProblem {
  return {
    code: 'BF_PLUGIN_GO_PLUGIN',
    message:
      `${file} is a Go plugin (-buildmode=plugin), which only a Go program of the same Go version, C library and packages could load: ` +
      'build it with -buildmode=c-shared against bifrost_plugin.h for a gateway of `make build DYNAMIC=1`, or run it as a program ' +
      `with \`isolation: "grpc"\` (${porting})`,
  };
}

export function nativeDisabled(file: string, what: string): ArtefactProblem {
  return {
    code: 'BF_PLUGIN_NATIVE_DISABLED',
    message:
      `${file} is ${what}, and this gateway is the portable build, which loads no native code: ` +
      'build the gateway with `make build DYNAMIC=1`, or run the plugin as WebAssembly, as a module, or as a program with `isolation: "grpc"`',
  };
}

const formatRemedies: { readonly [Format in FileFormat]?: string } = {
  html: 'it was probably saved from a page that asks for a login or says "not found"; download the file itself',
  'git-lfs-pointer': 'fetch the file itself with `git lfs pull`',
  zip: 'unpack it, and point `path` at the file or folder in it',
  gzip: 'unpack it, and point `path` at the file or folder in it (an archive is taken from an https URL or as an upload only)',
  xz: 'unpack it, and point `path` at the file or folder in it',
  zstd: 'unpack it, and point `path` at the file or folder in it',
  bzip2: 'unpack it, and point `path` at the file or folder in it',
  ar: 'link it into a shared library (gcc -shared -Wl,--whole-archive)',
  'linker-script': 'point `path` at the library that it names',
  'llvm-bitcode': 'compile and link it to a shared library or a WebAssembly module',
  wat: 'translate it with wat2wasm',
  empty: 'copy or build it again',
  'utf-16': 'save it in UTF-8',
  json: 'for a manifest, point `path` at its folder',
};

/** Content and name, or content and stated kind, do not fit. `meant`: what it should have been. */
export function wrongFormat(file: string, found: FileFormat, meant: string): ArtefactProblem {
  const remedy = formatRemedies[found] ?? `point \`path\` at ${meant}, or build it again`;
  return {
    code: 'BF_PLUGIN_WRONG_FORMAT',
    message: `${file} should be ${meant}, but it is ${formatNames[found]}: ${remedy}`,
  };
}

export function notALibrary(file: string, type: string, origin: Origin): ArtefactProblem {
  const flag = { go: 'go build -buildmode=c-shared', rust: 'crate-type = ["cdylib"]', c: 'gcc -shared -fPIC' }[origin];
  const isProgram = type === 'executable';
  const what = isProgram
    ? 'a program'
    : type === 'relocatable'
      ? 'an object file that was not linked'
      : `an ELF file of type ${type}`;
  return {
    code: 'BF_PLUGIN_WRONG_FORMAT',
    message:
      `${file} is ${what}, not a shared library: build it with ${flag}` +
      (isProgram ? ', or, if it speaks bifrost_plugin.proto, set `isolation: "grpc"`' : ''),
  };
}

/** A plugin's module under `isolation: "grpc"`, which starts programs. */
export function moduleAsProgram(file: string): ArtefactProblem {
  return {
    code: 'BF_PLUGIN_WRONG_FORMAT',
    message:
      `${file} is a module, and \`isolation: "grpc"\` starts a program: leave \`isolation\` out, or set "worker" or "process", to load it; ` +
      'for a program that speaks bifrost_plugin.proto, begin it with `#!/usr/bin/env node`, or write "kind": "grpc" into its manifest',
  };
}

/** A library under `isolation: "grpc"`: to start it would be to jump into the middle of it. */
export function notAProgram(file: string, type: string): ArtefactProblem {
  const isLibrary = type === 'shared' || type === 'bundle';
  const what = isLibrary ? 'a shared library' : `a binary file of type ${type}`;
  const remedy = isLibrary
    ? 'leave `isolation` out, or set "worker" or "process", to load it; or give the program that speaks bifrost_plugin.proto'
    : 'link it, and give the program that speaks bifrost_plugin.proto';
  return {
    code: 'BF_PLUGIN_WRONG_FORMAT',
    message: `${file} is ${what}, not a program that \`isolation: "grpc"\` could start: ${remedy}`,
  };
}

export function damaged(file: string, fault: BinaryFault): ArtefactProblem {
  return fault.kind === 'truncated'
    ? { code: 'BF_PLUGIN_FILE_DAMAGED', message: `${file} is cut off: ${fault.message}. Copy or download it again` }
    : {
        code: 'BF_PLUGIN_FILE_DAMAGED',
        message: `${file} is damaged (${fault.message}): build, copy or download it again`,
      };
}

export function missingSymbol(
  file: string,
  symbol: string,
  hint: { readonly meant?: string; readonly why: string },
): ArtefactProblem {
  const meant = hint.meant === undefined ? '' : `; it exports ${hint.meant}: did you mean ${symbol}?`;
  return { code: 'BF_PLUGIN_SYMBOL_MISSING', message: `${file} does not export ${symbol}${meant} (${hint.why})` };
}

/** An export that begins like one of the ABI's, and is none. */
export function unknownSymbol(file: string, symbol: string, meant: string | undefined): ArtefactProblem {
  const hint = meant === undefined ? 'the ABI knows no such name, and would never call it' : `did you mean ${meant}?`;
  return { code: 'BF_PLUGIN_SYMBOL_UNKNOWN', message: `${file} exports ${symbol}: ${hint}` };
}

export function wrongNodeVersion(file: string, built: string, machine: Machine): ArtefactProblem {
  return {
    code: 'BF_PLUGIN_NODE_VERSION',
    message:
      `${file} is built for Node's module version ${built}, and this gateway has ${machine.nodeModuleVersion}: ` +
      'build it with Node-API (NAPI_MODULE_INIT), which fits all versions, or against the headers of this version',
  };
}
