/** The functions of import module `bifrost`: what a guest may ask of the gateway. docs/plugins/wasm-abi.md describes each. */
import { randomFillSync } from 'node:crypto';
import { GatewayError, isJsonObject } from '@bifrost/sdk';
import type { Json, Usage } from '@bifrost/sdk';
import type { Signature } from './binary/read-wasm.ts';
import type { HostScope } from './host-scope.ts';

export interface HostFunction {
  readonly signature: Signature;
  // What WebAssembly passes: i32 and f64 as numbers, i64 as bigint; each function takes what its signature says.
  readonly call: (...values: never[]) => number | bigint | void;
}

const levels = ['debug', 'info', 'warn', 'error'] as const;

/** Results of functions that set something. */
const setResults = { done: 0, notJson: 1, refused: 2, noRequest: 3 } as const;
const absent = -1;

/** Copies `value` as JSON to the guest's buffer where it fits, and returns its length in bytes: the guest asks again with more room. */
function giveJson(scope: HostScope, value: unknown, buffer: number, capacity: number): number {
  if (value === undefined) return absent;
  const bytes = Buffer.from(JSON.stringify(value));
  if (bytes.length <= capacity >>> 0) scope.memory.range(buffer, bytes.length, 'a buffer').set(bytes);
  return bytes.length;
}

/** Parses what the guest gave and sets it; a refusal of the host (a key of another plugin, no room) goes to the log. */
function setJson(scope: HostScope, text: string, set: ((value: Json) => void) | undefined): number {
  if (set === undefined) return setResults.noRequest;
  let value: Json;
  try {
    // What JSON.parse returns is Json.
    value = JSON.parse(text) as Json;
  } catch {
    return setResults.notJson;
  }
  try {
    set(value);
    return setResults.done;
  } catch (thrown) {
    if (!GatewayError.isInstance(thrown)) throw thrown;
    scope.log.warn(thrown.message);
    return setResults.refused;
  }
}

function valueFunctions(scope: HostScope): Record<string, HostFunction> {
  const text = (pointer: number, length: number): string => scope.memory.text(pointer, length, 'a text');
  return {
    state_get: {
      signature: '(i32, i32, i32, i32) -> i32',
      call: (key: number, keyLength: number, buffer: number, capacity: number) =>
        giveJson(scope, scope.hook?.state.get(text(key, keyLength)), buffer, capacity),
    },
    state_set: {
      signature: '(i32, i32, i32, i32) -> i32',
      call: (key: number, keyLength: number, value: number, length: number) => {
        const { hook } = scope;
        const set = hook && ((json: Json): void => void hook.state.set(text(key, keyLength), json));
        return setJson(scope, text(value, length), set);
      },
    },
    value_get: {
      signature: '(i32, i32, i32, i32) -> i32',
      call: (key: number, keyLength: number, buffer: number, capacity: number) =>
        giveJson(scope, scope.hook?.getValue(text(key, keyLength)), buffer, capacity),
    },
    value_set: {
      signature: '(i32, i32, i32, i32) -> i32',
      call: (key: number, keyLength: number, value: number, length: number) => {
        const { hook } = scope;
        return setJson(scope, text(value, length), hook && ((json) => hook.setValue(text(key, keyLength), json)));
      },
    },
    shared_add: {
      signature: '(i32, i32, f64) -> f64',
      call: (key: number, keyLength: number, by: number) => {
        try {
          return scope.shared?.add(text(key, keyLength), by) ?? Number.NaN;
        } catch (thrown) {
          if (!GatewayError.isInstance(thrown)) throw thrown;
          scope.log.warn(thrown.message);
          return Number.NaN;
        }
      },
    },
    shared_get: {
      signature: '(i32, i32, i32, i32) -> i32',
      call: (key: number, keyLength: number, buffer: number, capacity: number) =>
        giveJson(scope, scope.shared?.get(text(key, keyLength)), buffer, capacity),
    },
    shared_set: {
      signature: '(i32, i32, i32, i32) -> i32',
      call: (key: number, keyLength: number, value: number, length: number) => {
        const { shared } = scope;
        // A length of 0 removes the value.
        const json = length === 0 ? 'null' : text(value, length);
        const set = (given: Json): void => shared?.set(text(key, keyLength), length === 0 ? undefined : given);
        return setJson(scope, json, shared && set);
      },
    },
  };
}

function requestFunctions(scope: HostScope): Record<string, HostFunction> {
  const text = (pointer: number, length: number): string => scope.memory.text(pointer, length, 'a text');
  return {
    is_aborted: { signature: '() -> i32', call: () => (scope.hook?.signal.aborted === true ? 1 : 0) },
    model_info: {
      signature: '(i32, i32, i32, i32) -> i32',
      call: (model: number, modelLength: number, buffer: number, capacity: number) => {
        const name = text(model, modelLength);
        const slash = name.indexOf('/');
        const info =
          name === ''
            ? scope.hook?.getModelInfo()
            : scope.hook?.getModelInfo(slash === -1 ? undefined : name.slice(0, slash), name.slice(slash + 1));
        return giveJson(scope, info, buffer, capacity);
      },
    },
    cost: {
      signature: '(i32, i32) -> f64',
      call: (usage: number, length: number) => {
        let cost: number | undefined;
        // NaN says both "unknown" and "not JSON".
        setJson(scope, text(usage, length), (given) => {
          // A usage is an object of numbers; others are unknown buckets to the gateway.
          if (isJsonObject(given)) cost = scope.hook?.calculateCost(given as Usage);
        });
        return cost ?? Number.NaN;
      },
    },
    trace_set: {
      signature: '(i32, i32, i32, i32) -> i32',
      call: (key: number, keyLength: number, value: number, length: number) => {
        const { hook } = scope;
        const set = hook && ((json: Json): void => hook.setTraceAttribute(text(key, keyLength), json));
        return setJson(scope, text(value, length), set);
      },
    },
    routing_note: {
      signature: '(i32, i32) -> nothing',
      call: (note: number, length: number) => scope.hook?.addRoutingNote(text(note, length)),
    },
  };
}

/** All functions of `bifrost`, by name. */
export function hostFunctions(scope: HostScope): Readonly<Record<string, HostFunction>> {
  return {
    log: {
      signature: '(i32, i32, i32) -> nothing',
      call: (level: number, message: number, length: number) => {
        scope.log[levels[level] ?? 'info'](scope.memory.text(message, length, 'a log line'));
      },
    },
    now: { signature: '() -> f64', call: () => Date.now() },
    random: {
      signature: '(i32, i32) -> nothing',
      call: (buffer: number, length: number) => {
        randomFillSync(scope.memory.range(buffer, length, 'random bytes'));
      },
    },
    ...valueFunctions(scope),
    ...requestFunctions(scope),
  };
}
