import type { ErrorInfo, Json, JsonObject, StreamEvent, StreamFrame } from '@bifrost/sdk';
import { isJsonObject } from '@bifrost/sdk';
import type { SseEvent } from '../../sse/event.ts';
import type { EncodeOptions, LossReport, StreamEncoder } from '../codec.ts';
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
  readonly #report: LossReport;
  #isGenerating = false;
  #isCandidateReported = false;

  constructor(options: EncodeOptions) {
    this.#report = options.report;
    this.#generator = new ResponseGenerator(this.#state, options);
  }

  push(frame: StreamFrame): readonly SseEvent[] {
    const events = frame.events.filter((event) => this.#isSayable(event));
    for (const event of events) this.#state.apply(event);
    if (isOwn(frame) && !this.#isGenerating && !this.#isReshaped(frame)) return this.#restore(frame);
    if (events.length === 0) return [];
    this.#isGenerating = true;
    return this.#generator.push(events).map(toSse);
  }

  finish(): readonly SseEvent[] {
    return this.#generator.finish().map(toSse);
  }

  fail(error: ErrorInfo): readonly SseEvent[] {
    return this.#generator.fail(error).map(toSse);
  }

  /** Only the first candidate can be said. */
  #isSayable(event: StreamEvent): boolean {
    if (!('candidate' in event) || (event.candidate ?? 0) === 0) return true;
    if (!this.#isCandidateReported) {
      this.#report.add({ action: 'dropped', field: 'choices', reason: 'the Responses API gives one answer' });
      this.#isCandidateReported = true;
    }
    return false;
  }

  /** True where somebody put other pieces into a frame than its wire event can say: one delta each. */
  #isReshaped(frame: StreamFrame): boolean {
    if (frame.events.length < 2) return false;
    const type = stringField(ownRemainder(frame).fields, 'type') ?? '';
    return type.endsWith('.delta') && frame.events.filter((event) => event.type.endsWith('-delta')).length > 1;
  }

  #restore(frame: StreamFrame): readonly SseEvent[] {
    const { fields, form } = ownRemainder(frame);
    const id = typeof form['id'] === 'string' ? { id: form['id'] } : {};
    const raw = form['data'];
    const name = form['event'];
    const type = stringField(fields, 'type') ?? (typeof name === 'string' ? name : '');
    const event = name === undefined ? { event: type } : typeof name === 'string' ? { event: name } : {};
    if (typeof raw === 'string') return [{ ...event, ...id, data: raw }];
    const filled = fillEvent(type, fields, this.#state, frame.events);
    if (filled === undefined) return [];
    const json = withoutAbsent(filled, form['absent']);
    this.#generator.adopt(type, json, terminalTypes.has(type));
    return [{ ...event, ...id, data: JSON.stringify(json) }];
  }
}

/** Takes out of a snapshot what the provider's own did not have. */
function withoutAbsent(event: JsonObject, absent: Json | undefined): JsonObject {
  const { response } = event;
  if (!Array.isArray(absent) || !isJsonObject(response)) return event;
  const names: readonly unknown[] = absent;
  return { ...event, response: Object.fromEntries(Object.entries(response).filter(([key]) => !names.includes(key))) };
}

function toSse(event: JsonObject): SseEvent {
  return { event: stringField(event, 'type') ?? '', data: JSON.stringify(event) };
}
