/**
 * One plugin's running instance of its module. It is made when it is first needed and made again after a trap, whose memory can
 * not be trusted, and when its memory has grown beyond a bound, since a memory never shrinks and some guests never free. State in the
 * guest's globals is lost then; what must last belongs in the shared state. Calls are synchronous, so none begins inside another.
 */
import type { PluginLog } from '@bifrost/sdk';
import { GuestMemory } from './guest-memory.ts';
import { describeTrap, GuestExit, wasmError } from './wasm-error.ts';

/** An instance that can be called. */
export interface LiveGuest {
  readonly exports: WebAssembly.Exports;
  readonly memory: GuestMemory;
}

export interface GuestOptions {
  readonly plugin: string;
  readonly module: WebAssembly.Module;
  readonly imports: WebAssembly.Imports;
  /** Told the memory of each instance before any of its exports is called. */
  attach(memory: GuestMemory): void;
  /** The memory that the module imports, if it does. */
  readonly createMemory?: () => WebAssembly.Memory;
  readonly maxMemoryBytes: number;
  readonly log: PluginLog;
}

/** What the plugin's ABI does at an instance's begin and end. */
export interface GuestLifeCycle {
  /** Throws where the guest refuses. */
  begin(guest: LiveGuest): void;
  /** Before a sound instance is replaced. */
  end(guest: LiveGuest): void;
}

export class Guest {
  readonly #options: GuestOptions;
  #lifeCycle: GuestLifeCycle | undefined;
  #live: LiveGuest | undefined;
  #recycleBytes = 0;
  #isRunning = false;
  #isUnloaded = false;
  /** Instances made so far. */
  instances = 0;

  constructor(options: GuestOptions) {
    this.#options = options;
  }

  get maxMemoryBytes(): number {
    return this.#options.maxMemoryBytes;
  }

  get memoryBytes(): number {
    return this.#live?.memory.byteLength ?? 0;
  }

  /** Runs `lifeCycle.begin` with the instance; once that has succeeded, `lifeCycle` is run with each that replaces it. */
  start(lifeCycle: GuestLifeCycle): void {
    const live = this.open();
    try {
      lifeCycle.begin(live);
      this.#lifeCycle = lifeCycle;
      this.#setRecycleBound(live);
    } finally {
      this.close();
    }
  }

  /** Ends the life cycle that `start` began: `end` is run with the instance, if there is a sound one. */
  stop(): void {
    const lifeCycle = this.#lifeCycle;
    this.#lifeCycle = undefined;
    if (lifeCycle === undefined || this.#live === undefined) return;
    const live = this.open();
    try {
      lifeCycle.end(live);
    } finally {
      this.close();
    }
  }

  unload(): void {
    this.#isUnloaded = true;
    this.#live = undefined;
  }

  /** The instance to call, a fresh one where there is none or where the last has grown too far. `close` must follow. */
  open(): LiveGuest {
    const { plugin } = this.#options;
    if (this.#isRunning) {
      throw wasmError(plugin, 'BF_PLUGIN_WASM_FAILED', 'it was called while a call of it was running');
    }
    if (this.#isUnloaded) throw wasmError(plugin, 'BF_PLUGIN_WASM_FAILED', 'it was called after it was unloaded');
    this.#isRunning = true;
    try {
      if (this.#live !== undefined && this.#lifeCycle !== undefined && this.memoryBytes > this.#recycleBytes) {
        this.#recycle(this.#live);
      }
      return this.#live ?? this.#create();
    } catch (thrown) {
      this.#isRunning = false;
      throw thrown;
    }
  }

  /** A fresh instance in the place of the open one, for a guest that has no room left. */
  replace(live: LiveGuest): LiveGuest {
    this.#recycle(live);
    return this.#create();
  }

  close(): void {
    this.#isRunning = false;
  }

  /** The error of a call that ended from inside: the instance is given up. `operation` where who reports it does not know it. */
  trap(thrown: unknown, operation?: string): Error {
    this.#live = undefined;
    return wasmError(
      this.#options.plugin,
      'BF_PLUGIN_WASM_TRAP',
      `${operation === undefined ? '' : `${operation}: `}${describeTrap(thrown)}; the instance was replaced`,
      thrown,
    );
  }

  #recycle(live: LiveGuest): void {
    this.#live = undefined;
    try {
      this.#lifeCycle?.end(live);
    } catch (thrown) {
      this.#options.log.warn(`its cleanup failed before its instance was replaced: ${describeTrap(thrown)}`);
    }
  }

  #create(): LiveGuest {
    const { plugin, module, imports, createMemory } = this.#options;
    let instance: WebAssembly.Instance;
    const imported = createMemory?.();
    try {
      const memories = imported === undefined ? {} : memoryImport(module, imported, imports);
      instance = new WebAssembly.Instance(module, { ...imports, ...memories });
    } catch (thrown) {
      throw wasmError(plugin, 'BF_PLUGIN_WASM_TRAP', `it cannot be instantiated: ${describeTrap(thrown)}`, thrown);
    }
    const memory = instance.exports['memory'] ?? imported;
    if (!(memory instanceof WebAssembly.Memory)) {
      throw wasmError(plugin, 'BF_PLUGIN_WASM_EXPORT', 'it does not export its memory as "memory"');
    }
    const live = { exports: instance.exports, memory: new GuestMemory(memory) };
    this.#options.attach(live.memory);
    this.#startUp(live);
    this.#live = live;
    this.instances += 1;
    try {
      this.#lifeCycle?.begin(live);
    } catch (thrown) {
      this.#live = undefined;
      throw thrown;
    }
    this.#setRecycleBound(live);
    return live;
  }

  /** Halfway between what the fresh instance holds and the cap. */
  #setRecycleBound(live: LiveGuest): void {
    const fresh = live.memory.byteLength;
    this.#recycleBytes = fresh + (this.#options.maxMemoryBytes - fresh) / 2;
  }

  /** What WASI asks for before any other export is called: a reactor's `_initialize`, or a command's `_start`. */
  #startUp({ exports }: LiveGuest): void {
    const start = exports['_initialize'] ?? exports['_start'];
    if (typeof start !== 'function') return;
    try {
      start();
    } catch (thrown) {
      // A command's main that has returned may say so.
      if (thrown instanceof GuestExit && thrown.status === 0) return;
      throw wasmError(
        this.#options.plugin,
        'BF_PLUGIN_WASM_TRAP',
        `its ${exports['_initialize'] === undefined ? '_start' : '_initialize'} failed: ${describeTrap(thrown)}`,
        thrown,
      );
    }
  }
}

function memoryImport(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
  imports: WebAssembly.Imports,
): WebAssembly.Imports {
  const wanted = WebAssembly.Module.imports(module).find((entry) => entry.kind === 'memory');
  return wanted === undefined ? {} : { [wanted.module]: { ...imports[wanted.module], [wanted.name]: memory } };
}
