/**
 * The few calls of the C library that Node has no interface for, through `node:ffi`: a connected pair of sockets, the passing on of
 * a descriptor to a child, a piece of memory that a child shares. Linux on 64 bits; elsewhere there are none, and channels to a
 * process go through the supervisor.
 */
import type * as Ffi from 'node:ffi';
import { createRequire } from 'node:module';

export interface PosixCalls {
  /** Two connected stream sockets; neither is inherited by children unless it is given to them. Throws where there are too many files. */
  socketPair(): readonly [ours: number, theirs: number];
  /** Sends a duplicate of `descriptor` over `socket`. False where the other side has gone or takes no more. */
  sendDescriptor(socket: number, descriptor: number): boolean;
  /** A file of `bytes` in memory. */
  memoryFile(bytes: number): number;
}

const closeOnExec = 0o2000000;
const [unixFamily, streamType] = [1, 1];
/** MSG_DONTWAIT | MSG_NOSIGNAL */
const sendFlags = 0x4040;

/**
 * `struct msghdr` with one byte of data and room for one descriptor, as Linux lays it out on 64 bits. Nothing of it is within reach of a
 * plugin that puts its own code into the place of `DataView` and its methods: it would have the kernel write where it likes.
 */
export class DescriptorMessage {
  /** Kept, as only their addresses are known to the header. */
  readonly parts: readonly ArrayBuffer[];
  readonly #header = new ArrayBuffer(56);
  readonly #control = new ArrayBuffer(24);
  readonly #setControlLength: (offset: number, value: bigint, isLittle: boolean) => void;
  readonly #setLong: (offset: number, value: bigint, isLittle: boolean) => void;
  readonly #setInt: (offset: number, value: number, isLittle: boolean) => void;
  readonly #getInt: (offset: number, isLittle: boolean) => number;
  /** Address of the header. */
  readonly pointer: bigint;

  /** `addressOf` must be allowed now; later it need not be. */
  constructor(addressOf: (memory: ArrayBuffer) => bigint) {
    const [byte, vector] = [new ArrayBuffer(1), new ArrayBuffer(16)];
    this.parts = [byte, vector];
    const vectorView = new DataView(vector);
    vectorView.setBigUint64(0, addressOf(byte), true);
    vectorView.setBigUint64(8, 1n, true);
    const view = new DataView(this.#header);
    view.setBigUint64(16, addressOf(vector), true);
    view.setBigUint64(24, 1n, true); // vectors
    view.setBigUint64(32, addressOf(this.#control), true);
    this.#setControlLength = view.setBigUint64.bind(view);
    const control = new DataView(this.#control);
    this.#setLong = control.setBigUint64.bind(control);
    this.#setInt = control.setInt32.bind(control);
    this.#getInt = control.getInt32.bind(control);
    this.pointer = addressOf(this.#header);
    this.reset();
  }

  /** To be called before each use: the kernel writes lengths back. */
  reset(): void {
    this.#setControlLength(40, 24n, true);
    this.#setLong(0, 20n, true);
    this.#setInt(8, 1, true); // SOL_SOCKET
    this.#setInt(12, 1, true); // SCM_RIGHTS
    this.#setInt(16, -1, true);
  }

  get descriptor(): number {
    return this.#getInt(16, true);
  }

  set descriptor(descriptor: number) {
    this.#setInt(16, descriptor, true);
  }
}

/**
 * Node's module for calls of native code; undefined where there is none. Asks nothing of whether it may be used. Node's warning that it is
 * experimental would be the first that an operator reads of a plugin in a process.
 */
export function loadFfi(): typeof Ffi | undefined {
  const emitWarning = process.emitWarning.bind(process);
  process.emitWarning = () => undefined;
  try {
    // The type of `require` says nothing of the module.
    return createRequire(import.meta.url)('node:ffi') as typeof Ffi;
  } catch {
    return undefined; // a Node without it
  } finally {
    process.emitWarning = emitWarning;
  }
}

function bind(ffi: typeof Ffi): PosixCalls {
  const { functions } = ffi.dlopen(null, {
    socketpair: { arguments: ['i32', 'i32', 'i32', 'pointer'], return: 'i32' },
    sendmsg: { arguments: ['i32', 'pointer', 'i32'], return: 'i64' },
    memfd_create: { arguments: ['pointer', 'u32'], return: 'i32' },
    ftruncate: { arguments: ['i32', 'i64'], return: 'i32' },
  });
  const message = new DescriptorMessage((memory) => ffi.getRawPointer(memory));
  const assertDone = (result: number, what: string): number => {
    if (result >= 0) return result;
    throw new Error(`${what} failed: too many open files?`);
  };
  return {
    socketPair() {
      const pair = new Int32Array(2);
      assertDone(functions.socketpair(unixFamily, streamType | closeOnExec, 0, pair), 'socketpair');
      const [ours = -1, theirs = -1] = pair;
      return [ours, theirs];
    },
    sendDescriptor(socket, descriptor) {
      message.reset();
      message.descriptor = descriptor;
      return functions.sendmsg(socket, message.pointer, sendFlags) === 1n;
    },
    memoryFile(bytes) {
      const file = assertDone(functions.memfd_create(Buffer.from('bifrost\0'), 1), 'memfd_create');
      functions.ftruncate(file, BigInt(bytes));
      return file;
    },
  };
}

let calls: PosixCalls | undefined;

/** The calls; undefined where this system or this Node has not got them. */
export function posixCalls(): PosixCalls | undefined {
  if (calls !== undefined || process.platform !== 'linux' || !['x64', 'arm64'].includes(process.arch)) return calls;
  const ffi = loadFfi();
  if (ffi !== undefined) calls = bind(ffi);
  return calls;
}
