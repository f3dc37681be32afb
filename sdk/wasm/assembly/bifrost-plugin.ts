/**
 * Guest side of the WebAssembly ABI `bifrost-plugin/1` for AssemblyScript: docs/plugins/wasm-abi.md describes it.
 *
 * A plugin's entry file passes the border's functions on and says what to do:
 *
 *   export { bifrost_abi_1, bifrost_alloc, bifrost_free } from '.../bifrost-plugin';
 *   export function bifrost_call(operation: i32, pointer: usize, length: i32): usize {
 *     return answer(call(operation, readInput(pointer)));
 *   }
 *
 * JSON is looked at where it lies: a `Json` is a piece of the input's text, and `get` finds a piece of a piece.
 */

/** What the gateway asks for. */
export namespace Operation {
  export const describe: i32 = 0;
  export const init: i32 = 1;
  export const cleanup: i32 = 2;
  export const marshalConfigForStorage: i32 = 3;
  export const redactConfig: i32 = 4;
  export const httpTransportPreAuthHook: i32 = 16;
  export const httpTransportPreHook: i32 = 17;
  export const preRequestHook: i32 = 18;
  export const preLLMHook: i32 = 19;
  export const postLLMHook: i32 = 20;
  export const streamEventHook: i32 = 21;
  export const httpTransportResponseHeadersHook: i32 = 22;
  export const httpTransportStreamChunkHook: i32 = 23;
  export const httpTransportPostHook: i32 = 24;
  export const preMCPHook: i32 = 25;
  export const postMCPHook: i32 = 26;
  export const preMCPConnectionHook: i32 = 27;
  export const postMCPConnectionHook: i32 = 28;
  export const inject: i32 = 29;
}

// --- memory ---

/** The host's input buffers, kept from the collector. */
const inputs = new Map<usize, ArrayBuffer>();

export function bifrost_abi_1(): void {}

export function bifrost_alloc(size: i32): usize {
  const buffer = new ArrayBuffer(size);
  const pointer = changetype<usize>(buffer);
  inputs.set(pointer, buffer);
  return pointer;
}

export function bifrost_free(pointer: usize, size: i32): void {
  inputs.delete(pointer);
}

// --- input ---

/** The input of one call: JSON, and bytes beside it that the JSON refers to as `{"$bytes": n}`. */
export class Input {
  constructor(
    readonly json: Json,
    readonly attachments: StaticArray<ArrayBuffer>,
  ) {}

  /** An attachment as text. */
  text(index: i32): string {
    return index < this.attachments.length ? String.UTF8.decode(this.attachments[index]) : '';
  }
}

export function readInput(frame: usize): Input {
  const jsonLength = load<u32>(frame, 4);
  const count = load<u32>(frame, 8);
  let at: usize = frame + 12 + 4 * count;
  const json = Json.copy(at, jsonLength);
  at += jsonLength;
  const attachments = new StaticArray<ArrayBuffer>(count);
  for (let index: u32 = 0; index < count; index += 1) {
    const length = load<u32>(frame + 12 + 4 * index);
    const bytes = new ArrayBuffer(length);
    memory.copy(changetype<usize>(bytes), at, length);
    attachments[index] = bytes;
    at += length;
  }
  return new Input(json, attachments);
}

// --- answer ---

/** What a call answers: JSON of the hook's result, or a failure, whose message stands in the gateway's log. */
export class Answer {
  attachments: ArrayBuffer[] = [];
  constructor(
    readonly json: string,
    readonly isFailure: bool = false,
  ) {}

  static failed(message: string): Answer {
    return new Answer(message, true);
  }

  /** Adds bytes; the JSON refers to them as `{"$bytes": n}`. */
  with(bytes: ArrayBuffer): Answer {
    this.attachments.push(bytes);
    return this;
  }
}

/** The frame that the host reads: it lasts until the next call. */
let output = new ArrayBuffer(0);

/** Null: nothing is changed. */
export function answer(given: Answer | null): usize {
  if (given === null) return 0;
  const json = String.UTF8.encode(given.json);
  const count = given.attachments.length;
  let length = 12 + 4 * count + json.byteLength;
  for (let index = 0; index < count; index += 1) length += given.attachments[index].byteLength;
  output = new ArrayBuffer(length);
  const frame = changetype<usize>(output);
  store<u32>(frame, given.isFailure ? 1 : 0);
  store<u32>(frame, json.byteLength, 4);
  store<u32>(frame, count, 8);
  let at: usize = frame + 12 + 4 * count;
  memory.copy(at, changetype<usize>(json), json.byteLength);
  at += json.byteLength;
  for (let index = 0; index < count; index += 1) {
    const part = given.attachments[index];
    store<u32>(frame + 12 + 4 * index, part.byteLength);
    memory.copy(at, changetype<usize>(part), part.byteLength);
    at += part.byteLength;
  }
  return frame;
}

// --- JSON ---

function isSpace(code: i32): bool {
  return code == 0x20 || code == 0x0a || code == 0x0d || code == 0x09;
}

/** A value of the gateway's JSON: a piece of its bytes, which is not copied. Its form is not checked. An empty piece: there is none. */
export class Json {
  constructor(
    private readonly source: ArrayBuffer,
    private readonly start: i32,
    private readonly end: i32,
  ) {}

  static none: Json = new Json(new ArrayBuffer(0), 0, 0);

  /** JSON that stands in the memory, as UTF-8. */
  static copy(pointer: usize, length: i32): Json {
    const bytes = new ArrayBuffer(length);
    memory.copy(changetype<usize>(bytes), pointer, length);
    return new Json(bytes, 0, length);
  }

  get isPresent(): bool {
    return this.end > this.start;
  }

  /** The JSON itself. */
  get raw(): string {
    return this.decode(this.start, this.end);
  }

  private decode(start: i32, end: i32): string {
    return String.UTF8.decodeUnsafe(changetype<usize>(this.source) + start, end - start);
  }

  private code(at: i32): i32 {
    return at < this.end ? load<u8>(changetype<usize>(this.source) + at) : -1;
  }

  private skipSpace(from: i32): i32 {
    let at = from;
    while (isSpace(this.code(at))) at += 1;
    return at;
  }

  private stringEnd(from: i32): i32 {
    let at = from + 1;
    for (let code = this.code(at); code != 0x22 && code != -1; code = this.code(at)) at += code == 0x5c ? 2 : 1;
    return at + 1;
  }

  private valueEnd(from: i32): i32 {
    let at = from;
    let depth = 0;
    for (let code = this.code(at); code != -1; code = this.code(at)) {
      if (code == 0x22) {
        at = this.stringEnd(at);
        if (depth == 0) return at;
        continue;
      }
      if (code == 0x7b || code == 0x5b) depth += 1;
      else if (code == 0x7d || code == 0x5d) {
        if (depth == 0) return at;
        depth -= 1;
        if (depth == 0) return at + 1;
      } else if (depth == 0 && (code == 0x2c || isSpace(code))) return at;
      at += 1;
    }
    return at;
  }

  private behindComma(from: i32): i32 {
    const at = this.skipSpace(from);
    return this.code(at) == 0x2c ? this.skipSpace(at + 1) : at;
  }

  /** Whether the bytes from `at` are `text`, which is plain ASCII as most names are, or is compared whole. */
  private matches(at: i32, length: i32, text: string): bool {
    const here = changetype<usize>(this.source) + at;
    for (let index = 0; index < text.length; index += 1) {
      const unit = text.charCodeAt(index);
      if (unit > 0x7f) return String.UTF8.decodeUnsafe(here, length) == text;
      if (index >= length || load<u8>(here + index) != unit) return false;
    }
    return length == text.length;
  }

  /** The value of an object's member. */
  get(name: string): Json {
    let at = this.skipSpace(this.start);
    if (this.code(at) != 0x7b) return Json.none;
    at = this.skipSpace(at + 1);
    while (this.code(at) == 0x22) {
      const keyEnd = this.stringEnd(at);
      const start = this.skipSpace(this.skipSpace(keyEnd) + 1);
      const end = this.valueEnd(start);
      if (this.matches(at + 1, keyEnd - at - 2, name)) return new Json(this.source, start, end);
      at = this.behindComma(end);
    }
    return Json.none;
  }

  /** The value at a path of members: `at('input.headers.x-team')`. */
  at(path: string): Json {
    const names = path.split('.');
    let value: Json = this;
    for (let index = 0; index < names.length; index += 1) value = value.get(names[index]);
    return value;
  }

  /** Items of an array. */
  items(): Json[] {
    const items: Json[] = [];
    let at = this.skipSpace(this.start);
    if (this.code(at) != 0x5b) return items;
    at = this.skipSpace(at + 1);
    while (at < this.end && this.code(at) != 0x5d) {
      const end = this.valueEnd(at);
      items.push(new Json(this.source, at, end));
      at = this.behindComma(end);
    }
    return items;
  }

  get isText(): bool {
    return this.code(this.start) == 0x22;
  }

  /** Whether it is the string `text`, which must not need escapes. */
  is(text: string): bool {
    return this.isText && this.matches(this.start + 1, this.end - this.start - 2, text);
  }

  /** A string without its quotes and escapes; an empty text for any other value. */
  get text(): string {
    if (!this.isText) return '';
    const inner = this.decode(this.start + 1, this.end - 1);
    if (!inner.includes('\\')) return inner;
    let text = '';
    for (let at = 0; at < inner.length; at += 1) {
      if (inner.charCodeAt(at) != 0x5c) {
        text += inner.charAt(at);
        continue;
      }
      at += 1;
      const escape = inner.charAt(at);
      if (escape == 'u') {
        text += String.fromCharCode(<i32>Number.parseInt(inner.substring(at + 1, at + 5), 16));
        at += 4;
      } else if (escape == 'n') text += '\n';
      else if (escape == 't') text += '\t';
      else if (escape == 'r') text += '\r';
      else if (escape == 'b') text += '\b';
      else if (escape == 'f') text += '\f';
      else text += escape;
    }
    return text;
  }
}

/** `text` as a JSON string, with quotes and escapes. */
export function quote(text: string): string {
  let json = '"';
  let from = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code >= 0x20 && code != 0x22 && code != 0x5c) continue;
    json += text.substring(from, at);
    json += code < 0x20 ? '\\u' + code.toString(16).padStart(4, '0') : '\\' + text.charAt(at);
    from = at + 1;
  }
  return json + text.substring(from) + '"';
}

// --- the gateway ---

@external('bifrost', 'log')
declare function importLog(level: i32, message: usize, length: i32): void;
@external('bifrost', 'now')
declare function importNow(): f64;
@external('bifrost', 'random')
declare function importRandom(buffer: usize, length: i32): void;
@external('bifrost', 'model_info')
declare function importModelInfo(model: usize, modelLength: i32, buffer: usize, capacity: i32): i32;
@external('bifrost', 'cost')
declare function importCost(usage: usize, length: i32): f64;
@external('bifrost', 'trace_set')
declare function importTraceSet(key: usize, keyLength: i32, json: usize, length: i32): i32;
@external('bifrost', 'routing_note')
declare function importRoutingNote(note: usize, length: i32): void;
@external('bifrost', 'is_aborted')
declare function importIsAborted(): i32;
@external('bifrost', 'state_get')
declare function importStateGet(key: usize, keyLength: i32, buffer: usize, capacity: i32): i32;
@external('bifrost', 'state_set')
declare function importStateSet(key: usize, keyLength: i32, json: usize, length: i32): i32;
@external('bifrost', 'value_get')
declare function importValueGet(key: usize, keyLength: i32, buffer: usize, capacity: i32): i32;
@external('bifrost', 'value_set')
declare function importValueSet(key: usize, keyLength: i32, json: usize, length: i32): i32;
@external('bifrost', 'shared_add')
declare function importSharedAdd(key: usize, keyLength: i32, by: f64): f64;
@external('bifrost', 'shared_get')
declare function importSharedGet(key: usize, keyLength: i32, buffer: usize, capacity: i32): i32;
@external('bifrost', 'shared_set')
declare function importSharedSet(key: usize, keyLength: i32, json: usize, length: i32): i32;

export enum Level {
  debug,
  info,
  warn,
  error,
}

export function log(level: Level, message: string): void {
  const bytes = String.UTF8.encode(message);
  importLog(level, changetype<usize>(bytes), bytes.byteLength);
}

/** Milliseconds since 1970. */
export function now(): f64 {
  return importNow();
}

/** The client has gone, or the hook's deadline has passed. */
export function isAborted(): bool {
  return importIsAborted() != 0;
}

type Getter = (key: usize, keyLength: i32, buffer: usize, capacity: i32) => i32;
type Setter = (key: usize, keyLength: i32, json: usize, length: i32) => i32;

function get(getter: Getter, key: string): Json {
  const name = String.UTF8.encode(key);
  let buffer = new ArrayBuffer(256);
  const length = getter(changetype<usize>(name), name.byteLength, changetype<usize>(buffer), 256);
  if (length < 0) return Json.none;
  if (length > 256) {
    buffer = new ArrayBuffer(length);
    getter(changetype<usize>(name), name.byteLength, changetype<usize>(buffer), length);
  }
  return Json.copy(changetype<usize>(buffer), length);
}

function set(setter: Setter, key: string, json: string): bool {
  const name = String.UTF8.encode(key);
  const bytes = String.UTF8.encode(json);
  return setter(changetype<usize>(name), name.byteLength, changetype<usize>(bytes), bytes.byteLength) == 0;
}

/** What this plugin has set for this request; other plugins do not see it. */
export function getState(key: string): Json {
  return get(importStateGet, key);
}

/** True where it was set. */
export function setState(key: string, json: string): bool {
  return set(importStateSet, key, json);
}

/** A value of this request, which other plugins see as `plugin/key`; not present where nobody has set it. */
export function getValue(key: string): Json {
  return get(importValueGet, key);
}

/** True where it was set. */
export function setValue(key: string, json: string): bool {
  return set(importValueSet, key, json);
}

/** The counter's new value; not a number where there is no room for another counter. */
export function sharedAdd(counter: string, by: f64 = 1): f64 {
  const name = String.UTF8.encode(counter);
  return importSharedAdd(changetype<usize>(name), name.byteLength, by);
}

/** A value that all instances share; not present where nobody has set it. */
export function getShared(key: string): Json {
  return get(importSharedGet, key);
}

/** True where it was set. */
export function setShared(key: string, json: string): bool {
  return set(importSharedSet, key, json);
}

/** Random bytes, fit for keys. */
export function random(length: i32): ArrayBuffer {
  const bytes = new ArrayBuffer(length);
  importRandom(changetype<usize>(bytes), length);
  return bytes;
}

/** What the catalogue knows of `provider/model`, or of this request's model where the name is empty. */
export function getModelInfo(name: string = ''): Json {
  return get(importModelInfo, name);
}

/** Nano-dollars of a usage as JSON; not a number where the price is unknown. */
export function costOf(usage: string): f64 {
  const bytes = String.UTF8.encode(usage);
  return importCost(changetype<usize>(bytes), bytes.byteLength);
}

/** Puts a fact on the request's trace. */
export function setTraceAttribute(key: string, json: string): bool {
  return set(importTraceSet, key, json);
}

/** Says on the request's trace why it goes where it goes. */
export function addRoutingNote(note: string): void {
  const bytes = String.UTF8.encode(note);
  importRoutingNote(changetype<usize>(bytes), bytes.byteLength);
}
