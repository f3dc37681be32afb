import { isJsonObject } from '@bifrost/sdk';
import type { Json, JsonObject, StreamEvent } from '@bifrost/sdk';
import { unpackToolCallId } from '../provenance.ts';
import type { FrameBuilder, Holder } from './frame-builder.ts';

interface OpenCall {
  readonly part: string;
  readonly index: number | undefined;
  readonly isFreeform: boolean;
  id: string | undefined;
  name: string;
  /** Arguments so far; those before the name are held back until it comes. */
  text: string;
  signature: string | undefined;
  isStarted: boolean;
}

function isCompleteJson(text: string): boolean {
  if (text.trim() === '') return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false; // more deltas are to come
  }
}

function nonEmpty(value: Json | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/**
 * Follows the tool calls of one choice over its deltas. Servers differ: some send `index: 0` or none for all parallel calls, some
 * repeat id and name on every delta, some send null, some send arguments before the name, some never send an id.
 */
export class ToolCallTracker {
  readonly #calls: OpenCall[] = [];
  readonly #candidate: { readonly candidate?: number };
  readonly #prefix: string;
  readonly #makeId: (count: number) => string;
  #isClosed = false;

  constructor(candidate: number, makeId: (count: number) => string) {
    this.#candidate = candidate === 0 ? {} : { candidate };
    this.#prefix = `tool-${candidate}-`;
    this.#makeId = makeId;
  }

  get hasCalls(): boolean {
    return this.#calls.length > 0;
  }

  /** One entry of `delta.tool_calls`; `bodyPath` is where its function stands, when not inside the entry. */
  push(
    entry: JsonObject,
    path: readonly (string | number)[],
    builder: FrameBuilder,
    bodyPath?: readonly (string | number)[],
  ): void {
    const key = isJsonObject(entry['custom']) && !isJsonObject(entry['function']) ? 'custom' : 'function';
    const body = isJsonObject(entry[key]) ? entry[key] : {};
    const argumentsKey = key === 'custom' ? 'input' : 'arguments';
    const [packed, name, given] = [nonEmpty(entry['id']), nonEmpty(body['name']), body[argumentsKey]];
    const index = typeof entry['index'] === 'number' ? entry['index'] : undefined;
    const unpacked = packed === undefined ? undefined : unpackToolCallId(packed);
    const id = unpacked?.id;
    let call = this.#find(index, id, name);
    if (call === undefined) {
      const part = `${this.#prefix}${this.#calls.length}`;
      call = {
        part,
        index,
        isFreeform: key === 'custom',
        id,
        name: '',
        text: '',
        signature: undefined,
        isStarted: false,
      };
      this.#calls.push(call);
    }
    call.id ??= id;
    call.signature ??= unpacked?.signature;
    const inner = bodyPath ?? [...path, key];
    if (!call.isStarted && name !== undefined) {
      call.name = name;
      this.#start(call, builder, () => {
        if (id !== undefined && id === packed) builder.link('id', entry as Holder, [...path, 'id']);
        builder.link('name', body as Holder, [...inner, 'name']);
      });
    }
    const text = typeof given === 'string' ? given : given === undefined || given === null ? '' : JSON.stringify(given);
    if (text === '') return;
    call.text += text;
    if (!call.isStarted) return;
    builder.emit({ type: 'tool-call-delta', part: call.part, ...this.#candidate, argumentsDelta: text });
    if (typeof given === 'string') builder.link('argumentsDelta', body as Holder, [...inner, argumentsKey]);
  }

  /** Ends all calls; one whose name never came is started first, so that its arguments are not lost. */
  close(builder: FrameBuilder): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const call of this.#calls) {
      if (!call.isStarted) this.#start(call, builder);
      const proof = call.signature === undefined ? {} : { signature: call.signature };
      builder.emit({ type: 'tool-call-end', part: call.part, ...this.#candidate, ...proof });
    }
  }

  #start(call: OpenCall, builder: FrameBuilder, link?: () => void): void {
    call.isStarted = true;
    builder.emit(this.#startEvent(call, call.id ?? this.#makeId(this.#calls.indexOf(call))));
    link?.();
    if (call.text !== '') {
      builder.emit({ type: 'tool-call-delta', part: call.part, ...this.#candidate, argumentsDelta: call.text });
    }
  }

  #startEvent(call: OpenCall, id: string): StreamEvent {
    const { part, name, signature } = call;
    const kind = call.isFreeform ? { isFreeform: true } : {};
    const proof = signature === undefined ? {} : { signature };
    return { type: 'tool-call-start', part, ...this.#candidate, id, name, ...kind, ...proof };
  }

  /** The call that a delta goes on with; undefined where it begins a new one. */
  #find(index: number | undefined, id: string | undefined, name: string | undefined): OpenCall | undefined {
    if (id !== undefined) {
      const byId = this.#calls.find((call) => call.id === id);
      if (byId !== undefined) return byId;
      const atIndex = this.#lastAt(index);
      return atIndex !== undefined && atIndex.id === undefined && !atIndex.isStarted ? atIndex : undefined;
    }
    const known = this.#lastAt(index);
    const isNext = known !== undefined && name !== undefined && known.isStarted && isCompleteJson(known.text);
    return isNext ? undefined : known;
  }

  #lastAt(index: number | undefined): OpenCall | undefined {
    return index === undefined ? this.#calls.at(-1) : this.#calls.findLast((call) => call.index === index);
  }
}
