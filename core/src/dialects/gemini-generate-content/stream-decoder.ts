import type { Citation, ErrorInfo, JsonObject, Part, StreamEvent, StreamFrame, TokenLogprob } from '@bifrost/sdk';
import type { StreamDecoder } from '../codec.ts';
import type { SseEvent } from '../../sse/event.ts';
import { argumentsText, CallIds } from './call-ids.ts';
import { ChunkBuilder } from './chunk-builder.ts';
import { decodeError } from './errors.ts';
import { FieldReader, fieldOf, parseChunk, present } from './fields.ts';
import { decodeBlockReason, decodeFinishReason } from './finish-reason.ts';
import { dialect, residueOf } from './form.ts';
import { decodeCitations } from './grounding.ts';
import { decodeLogprobs } from './logprobs.ts';
import { PartialArguments } from './partial-args.ts';
import { decodePart } from './parts.ts';
import { decodeCreateTime } from './responses.ts';
import { decodeUsage, usageLeaves } from './usage.ts';

const chunkForm = { leaves: ['args', 'response', 'logprobsResult', ...usageLeaves], kept: ['groundingMetadata'] };

/** A call whose arguments come piece by piece. */
interface PartialCall {
  readonly part: string;
  readonly id: string;
  readonly name: string;
  readonly args: PartialArguments;
  signature?: string;
}

/** What of one candidate lasts over the chunks. */
class CandidateState {
  readonly at: { readonly candidate?: number };
  readonly index: number;
  /** The text or reasoning part that is still open. */
  open: { readonly kind: 'text' | 'reasoning'; readonly part: string } | undefined;
  /** The last text part, which citations belong to. */
  lastText: string | undefined;
  call: PartialCall | undefined;
  text = '';
  hasCalls = false;
  isFinished = false;
  readonly #citations = new Map<string, number>();
  #count = 0;

  constructor(index: number) {
    this.index = index;
    this.at = index === 0 ? {} : { candidate: index };
  }

  nextPart(): string {
    return `${this.index}:${this.#count++}`;
  }

  /** Grounding metadata is repeated and grows from chunk to chunk: what was said before is left out. */
  newCitations(citations: readonly Citation[]): readonly Citation[] {
    const counts = new Map<string, number>();
    return citations.filter((citation) => {
      const key = JSON.stringify(citation);
      const count = (counts.get(key) ?? 0) + 1;
      counts.set(key, count);
      if (count <= (this.#citations.get(key) ?? 0)) return false;
      this.#citations.set(key, count);
      return true;
    });
  }

  close(): readonly StreamEvent[] {
    const { open } = this;
    this.open = undefined;
    if (open === undefined) return [];
    return [{ type: open.kind === 'text' ? 'text-end' : 'reasoning-end', part: open.part, ...this.at }];
  }
}

/** Chunks of a streamGenerateContent answer -> frames, one for each chunk. */
export class GeminiStreamDecoder implements StreamDecoder {
  readonly #builder = new ChunkBuilder();
  readonly #states = new Map<number, CandidateState>();
  #ids: CallIds | undefined;
  #isTerminated = false;

  push(event: SseEvent): readonly StreamFrame[] {
    if (event.data === '' || event.data === '[DONE]') return [];
    const chunk = parseChunk(event.data);
    const events = this.#decode(chunk);
    const made = this.#builder.build(events);
    return [{ events, residue: residueOf(made, chunk, chunkForm) }];
  }

  finish(): readonly StreamFrame[] {
    const events = [...this.#states.values()].flatMap((state) => [...this.#endCall(state), ...state.close()]);
    if (!this.#isTerminated) events.push({ type: 'error', error: incomplete });
    return events.length === 0 ? [] : [{ events }];
  }

  #decode(chunk: JsonObject): readonly StreamEvent[] {
    const reader = new FieldReader(chunk, { path: '', isStrict: false });
    if (chunk['error'] !== undefined) {
      this.#isTerminated = true;
      return [{ type: 'error', error: decodeError(200, chunk) }];
    }
    const candidates = reader.children('candidates') ?? [];
    const start = this.#start(reader);
    const content = candidates.map((candidate, position) => this.#decodeCandidate(candidate, position));
    const usage = reader.child('usageMetadata');
    return [
      ...start,
      ...content.flatMap((one) => one.events),
      ...(usage === undefined ? [] : [{ type: 'usage', usage: decodeUsage(usage) } as const]),
      ...content.flatMap((one) => one.finish),
      ...this.#blocked(reader),
    ];
  }

  #start(reader: FieldReader): readonly StreamEvent[] {
    if (this.#ids !== undefined) return [];
    const id = reader.string('responseId');
    this.#ids = new CallIds(id);
    const createdAt = decodeCreateTime(reader.string('createTime'));
    return [{ type: 'response-start', ...present({ id, model: reader.string('modelVersion'), createdAt }) }];
  }

  /** The prompt was refused: no candidate will come. */
  #blocked(reader: FieldReader): readonly StreamEvent[] {
    const feedback = reader.json('promptFeedback');
    const reason = feedback === undefined ? undefined : decodeBlockReason(fieldOf(feedback, 'blockReason'));
    if (reason === undefined) return [];
    this.#isTerminated = true;
    return [{ type: 'finish', reason }];
  }

  #decodeCandidate(
    candidate: FieldReader,
    position: number,
  ): { readonly events: readonly StreamEvent[]; readonly finish: readonly StreamEvent[] } {
    const index = candidate.number('index') ?? position;
    const state = this.#states.get(index) ?? new CandidateState(index);
    this.#states.set(index, state);
    const result = candidate.child('logprobsResult');
    const logprobs = result === undefined ? undefined : decodeLogprobs(result);
    const parts = candidate.child('content')?.children('parts') ?? [];
    const events = parts.flatMap((part) => this.#decodePart(part, state));
    const withLogprobs = logprobs === undefined ? events : attachLogprobs(events, logprobs);
    const citations = state.newCitations(decodeCitations(candidate, state.text)).map((citation): StreamEvent => ({
      type: 'citation',
      part: state.lastText ?? `${index}:0`,
      ...state.at,
      citation,
    }));
    const reason = decodeFinishReason(fieldOf(candidate.object, 'finishReason'), state.hasCalls);
    if (reason === undefined) return { events: [...withLogprobs, ...citations], finish: [] };
    const isFirst = !state.isFinished;
    state.isFinished = true;
    this.#isTerminated = true;
    const ends = [...this.#endCall(state), ...state.close()];
    const finish: readonly StreamEvent[] = isFirst ? [{ type: 'finish', ...state.at, reason }] : [];
    return { events: [...withLogprobs, ...citations, ...ends], finish };
  }

  #decodePart(reader: FieldReader, state: CandidateState): readonly StreamEvent[] {
    const call = reader.child('functionCall');
    if (call !== undefined && (state.call !== undefined || call.has('partialArgs') || call.has('willContinue'))) {
      return this.#decodePartialCall(reader, call, state);
    }
    const part = decodePart(reader, this.#ids as CallIds);
    switch (part.type) {
      case 'text':
        return decodeText(part, state);
      case 'reasoning':
        return decodeReasoning(part, state);
      default:
        return [...state.close(), ...decodeWhole(part, state)];
    }
  }

  /** The call is handed out whole once it is complete: its signature may come with any piece, and has to be with its id. */
  #decodePartialCall(reader: FieldReader, call: FieldReader, state: CandidateState): readonly StreamEvent[] {
    const events: StreamEvent[] = [...state.close()];
    const name = call.string('name');
    if (name !== undefined) events.push(...this.#endCall(state));
    state.call ??= {
      part: state.nextPart(),
      id: (this.#ids as CallIds).ofCall(name ?? '', call.string('id')),
      name: name ?? '',
      args: new PartialArguments(),
    };
    state.hasCalls = true;
    state.call.args.assign(call.json('args') ?? {});
    for (const partial of call.children('partialArgs') ?? []) state.call.args.add(partial);
    const signature = reader.string('thoughtSignature');
    if (signature !== undefined) state.call.signature = signature;
    if (call.boolean('willContinue') !== true) events.push(...this.#endCall(state));
    return events;
  }

  #endCall(state: CandidateState): readonly StreamEvent[] {
    const { call } = state;
    if (call === undefined) return [];
    state.call = undefined;
    return callEvents(call, { part: call.part, ...state.at }, argumentsText(call.args.value));
  }
}

/** A whole call: start, arguments and end. */
function callEvents(
  call: { readonly id: string; readonly name: string; readonly signature?: string },
  at: { readonly part: string; readonly candidate?: number },
  argumentsDelta: string,
): readonly StreamEvent[] {
  return [
    { type: 'tool-call-start', ...at, id: call.id, name: call.name },
    { type: 'tool-call-delta', ...at, argumentsDelta },
    { type: 'tool-call-end', ...at, ...present({ signature: call.signature }) },
  ];
}

const incomplete: ErrorInfo = {
  statusCode: 502,
  message: 'the provider ended the stream without a finishReason: the answer is not complete',
  code: 'BF_STREAM_TRUNCATED',
  origin: 'provider',
};

function attachLogprobs(events: readonly StreamEvent[], logprobs: readonly TokenLogprob[]): readonly StreamEvent[] {
  const first = events.findIndex((event) => event.type === 'text-delta');
  return events.map((event, index) =>
    index === first && event.type === 'text-delta' ? { ...event, logprobs } : event,
  );
}

function decodeText(part: Extract<Part, { type: 'text' }>, state: CandidateState): readonly StreamEvent[] {
  const { text, signature } = part;
  if (text === '' && signature === undefined) return []; // the usual filler of a last chunk
  const events = openPart('text', state);
  const at = { part: state.open?.part as string, ...state.at };
  state.lastText = at.part;
  state.text += text;
  if (text !== '') events.push({ type: 'text-delta', ...at, text });
  if (signature === undefined) return events;
  state.open = undefined;
  return [...events, { type: 'text-end', ...at, signature }];
}

function decodeReasoning(part: Extract<Part, { type: 'reasoning' }>, state: CandidateState): readonly StreamEvent[] {
  const { text, signature, encrypted, origin } = part;
  const events = openPart('reasoning', state);
  const at = { part: state.open?.part as string, ...state.at };
  if (text !== '') events.push({ type: 'reasoning-delta', ...at, text });
  if (signature === undefined && encrypted === undefined) return events;
  state.open = undefined;
  return [...events, { type: 'reasoning-end', ...at, ...present({ signature, encrypted, origin }) }];
}

function openPart(kind: 'text' | 'reasoning', state: CandidateState): StreamEvent[] {
  if (state.open?.kind === kind) return [];
  const closing = state.close();
  state.open = { kind, part: state.nextPart() };
  return [...closing, { type: `${kind}-start`, part: state.open.part, ...state.at }];
}

/** A part that comes in one piece. */
function decodeWhole(part: Part, state: CandidateState): readonly StreamEvent[] {
  switch (part.type) {
    case 'tool-call': {
      state.hasCalls = true;
      return callEvents(part, { part: state.nextPart(), ...state.at }, part.arguments);
    }
    case 'media': {
      const { kind, mediaType, signature, source } = part;
      const at = { part: state.nextPart(), ...state.at };
      const bytes = source.type === 'base64' ? { data: source.data } : { data: '', source };
      return [{ type: 'media-delta', ...at, kind, ...present({ mediaType, signature }), ...bytes }];
    }
    case 'server-tool':
      return [{ type: 'server-tool', dialect, name: part.name, value: part.value, ...state.at }];
    case 'opaque':
      return [{ type: 'opaque', dialect, value: part.value, ...state.at }];
    default:
      return [];
  }
}
