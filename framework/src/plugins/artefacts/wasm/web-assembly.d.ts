/**
 * The part of the WebAssembly JavaScript API that the loader uses (https://webassembly.github.io/spec/js-api/). TypeScript has it in
 * its DOM library alone, which the gateway's code must not see.
 */
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array);
    static imports(module: Module): { readonly module: string; readonly name: string; readonly kind: string }[];
  }

  class Memory {
    constructor(descriptor: { readonly initial: number; readonly maximum: number });
    readonly buffer: ArrayBuffer;
    /** Adds pages of 64 KiB; throws RangeError beyond the maximum. */
    grow(pages: number): number;
  }

  class Instance {
    constructor(module: Module, imports: Imports);
    readonly exports: Exports;
  }

  class RuntimeError extends Error {}

  type ImportValue = ((...values: never[]) => unknown) | Memory;
  type Imports = Readonly<Record<string, Readonly<Record<string, ImportValue>>>>;
  type Exports = Readonly<Record<string, ((...values: (number | bigint)[]) => unknown) | Memory | undefined>>;

  function compile(bytes: Uint8Array): Promise<Module>;
}
