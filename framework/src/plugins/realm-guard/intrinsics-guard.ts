/**
 * Finds and undoes changes to the objects that all code of a thread shares: prototypes and namespaces of JavaScript itself. A
 * plugin that adds to `Object.prototype` would change every other plugin and the gateway.
 *
 * What costs nothing is closed from the start: `Object.prototype` takes no new members, and the namespaces that nothing inherits from are
 * frozen, so the call that tries it fails. The methods of prototypes stay writable, as objects that inherit from them may have members of
 * these names assigned; closing all prototypes to new members takes 3 % of the time that work on objects and arrays takes. Those are
 * looked at now and then.
 */

/** A member of a shared object that is not as it was. */
export interface IntrinsicChange {
  /** `Object.prototype.polluted` */
  readonly path: string;
  /** False where it cannot be put back: it was made permanent. */
  readonly isUndone: boolean;
}

interface Guarded {
  readonly name: string;
  readonly target: object;
  readonly keys: readonly PropertyKey[];
  readonly descriptors: ReadonlyMap<PropertyKey, PropertyDescriptor>;
}

const constructors = [
  Object,
  Function,
  Array,
  String,
  Number,
  Boolean,
  Symbol,
  BigInt,
  Date,
  RegExp,
  Promise,
  Map,
  Set,
  WeakMap,
  WeakSet,
  WeakRef,
  Error,
  TypeError,
  RangeError,
  SyntaxError,
  ArrayBuffer,
  SharedArrayBuffer,
  DataView,
  Uint8Array,
  Float64Array,
  Buffer,
  URL,
  URLSearchParams,
  AbortController,
  AbortSignal,
  EventTarget,
  TextDecoder,
  TextEncoder,
];

const namespaces = { JSON, Math, Reflect, Atomics };

function guard(name: string, target: object): Guarded {
  const keys = Reflect.ownKeys(target);
  const descriptors = new Map<PropertyKey, PropertyDescriptor>();
  for (const key of keys) {
    const descriptor = Reflect.getOwnPropertyDescriptor(target, key);
    if (descriptor !== undefined) descriptors.set(key, descriptor);
  }
  return { name, target, keys, descriptors };
}

function guardAll(): readonly Guarded[] {
  const typedArray: unknown = Object.getPrototypeOf(Uint8Array.prototype);
  const iterator: unknown = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()));
  const hidden = { '%TypedArray%.prototype': typedArray, '%Iterator%.prototype': iterator };
  return [
    ...constructors.flatMap((one) => [guard(one.name, one), guard(`${one.name}.prototype`, one.prototype as object)]),
    ...Object.entries(namespaces).map(([name, target]) => guard(name, target)),
    ...Object.entries(hidden).map(([name, target]) => guard(name, target as object)),
  ];
}

/** A data member is read, which costs a tenth of asking for its descriptor: this runs several times a second. */
function isAsBefore(target: object, key: PropertyKey, before: PropertyDescriptor): boolean {
  if ('value' in before) return Object.is((target as Record<PropertyKey, unknown>)[key], before.value);
  const now = Reflect.getOwnPropertyDescriptor(target, key);
  return now !== undefined && now.get === before.get && now.set === before.set;
}

function isSameList(one: readonly PropertyKey[], other: readonly PropertyKey[]): boolean {
  return one.length === other.length && one.every((key, index) => key === other[index]);
}

export class IntrinsicsGuard {
  readonly #guarded: readonly Guarded[] = guardAll();

  /** Closes what can be closed without a cost, for good and for the whole realm. */
  close(): void {
    Object.preventExtensions(Object.prototype);
    for (const namespace of Object.values(namespaces)) Object.freeze(namespace);
  }

  /** Puts back what has changed since this was made, and says what that was. */
  check(): readonly IntrinsicChange[] {
    const changes: IntrinsicChange[] = [];
    for (const guarded of this.#guarded) {
      const { target, keys, descriptors } = guarded;
      const now = Reflect.ownKeys(target);
      if (!isSameList(now, keys)) this.#removeNew(guarded, now, changes);
      for (const [key, before] of descriptors) {
        if (!isAsBefore(target, key, before)) {
          changes.push({ path: pathOf(guarded, key), isUndone: Reflect.defineProperty(target, key, before) });
        }
      }
    }
    return changes;
  }

  #removeNew(guarded: Guarded, now: readonly PropertyKey[], changes: IntrinsicChange[]): void {
    for (const key of now) {
      if (guarded.descriptors.has(key)) continue;
      changes.push({ path: pathOf(guarded, key), isUndone: Reflect.deleteProperty(guarded.target, key) });
    }
  }
}

function pathOf({ name }: Guarded, key: PropertyKey): string {
  return typeof key === 'symbol' ? `${name}[${String(key)}]` : `${name}.${String(key)}`;
}
