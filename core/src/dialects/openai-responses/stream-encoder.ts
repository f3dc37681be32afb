import type { ErrorInfo, JsonObject, StreamFrame } from '@bifrost/sdk';
import type { SseEvent } from '../../sse/event.ts';
import type { EncodeOptions, StreamEncoder } from '../codec.ts';
import { stringField } from './json-fields.ts';
import { isOwn, ownRemainder } from './residue.ts';
import { ResponseGenerator } from './stream-generator.ts';
import { StreamState } from './stream-state.ts';
import { fillEvent, terminalTypes } from './stream-template.ts';

/**
 * Writes a stream of the Responses API. Frames with this dialect's residue become the very events that they came from, with the
 * canonical values as they are now. From the first frame without it (another dialect's, or one whose events somebody made or
 * changed) everything is generated, numbers and snapshots included, so that the stream stays consistent to its end.
 */
export class ResponsesStreamEncoder implements StreamEncoder {
  readonly #state = new StreamState();
  readonly #generator: ResponseGenerator;
  #isGenerating = false;

  constructor(options: EncodeOptions) {
    this.#generator = new ResponseGenerator(this.#state, options);
  }

  push(frame: StreamFrame): readonly SseEvent[] {
    for (const event of frame.events) this.#state.apply(event);
    if (isOwn(frame) && !this.#isGenerating) return this.#restore(frame);
    if (frame.events.length === 0) return [];
    this.#isGenerating = true;
    return this.#generator.push(frame.events).map(toSse);
  }

  finish(): readonly SseEvent[] {
    return this.#generator.finish().map(toSse);
  }

  fail(error: ErrorInfo): readonly SseEvent[] {
    return this.#generator.fail(error).map(toSse);
  }

  #restore(frame: StreamFrame): readonly SseEvent[] {
    const { fields, form } = ownRemainder(frame);
    const id = typeof form['id'] === 'string' ? { id: form['id'] } : {};
    const raw = form['data'];
    const name = form['event'];
    const type = stringField(fields, 'type') ?? (typeof name === 'string' ? name : '');
    const event = name === undefined ? { event: type } : typeof name === 'string' ? { event: name } : {};
    if (typeof raw === 'string') return [{ ...event, ...id, data: raw }];
    const json = fillEvent(type, fields, this.#state, frame.events);
    if (json === undefined) return [];
    this.#generator.adopt(type, json, terminalTypes.has(type));
    return [{ ...event, ...id, data: JSON.stringify(json) }];
  }
}

function toSse(event: JsonObject): SseEvent {
  return { event: stringField(event, 'type') ?? '', data: JSON.stringify(event) };
}
