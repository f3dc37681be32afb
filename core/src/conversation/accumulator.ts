import type {
  Candidate,
  ConversationResponse,
  ErrorInfo,
  FinishReason,
  OpaquePart,
  ServerToolPart,
  StreamEvent,
  StreamFrame,
  Usage,
} from '@bifrost/sdk';
import type { PartBuilder, PartEvent, PartKind } from './part-builder.ts';
import { createPartBuilder, partKind } from './part-builder.ts';

interface CandidateDraft {
  readonly parts: (PartBuilder | ServerToolPart | OpaquePart)[];
  /** The text that citations of an unknown part are put on: the newest. */
  lastText?: PartBuilder;
  finishReason?: FinishReason;
}

/**
 * Folds the frames of a stream into one whole answer: parts in the order in which they began, deltas joined, later usage in
 * place of earlier usage bucket by bucket. Residue is left out: it belongs to the wire events, not to the answer. Lenient: a
 * delta without its start opens the part, as a decoder that lost an event must not lose the text too.
 */
export class ResponseAccumulator {
  readonly #parts = new Map<string, PartBuilder>();
  readonly #candidates = new Map<number, CandidateDraft>();
  #head: Omit<ConversationResponse, 'candidates' | 'usage'> = {};
  #usage: Usage | undefined;
  #error: ErrorInfo | undefined;

  /** The failure that the stream reported: its first one. The answer so far is still to be had from `result`. */
  get error(): ErrorInfo | undefined {
    return this.#error;
  }

  /** Totals so far, for a stream that is broken off. */
  get usage(): Usage | undefined {
    return this.#usage;
  }

  push(frame: StreamFrame): void {
    for (const event of frame.events) this.#add(event);
  }

  /** The answer so far; may be called again after further frames. */
  result(): ConversationResponse {
    const candidates = [...this.#candidates]
      .toSorted(([left], [right]) => left - right)
      .map(([index, draft]): Candidate => {
        const parts = draft.parts.map((part) => ('build' in part ? part.build() : part));
        return { index, parts, ...(draft.finishReason === undefined ? {} : { finishReason: draft.finishReason }) };
      });
    return { ...this.#head, candidates, ...(this.#usage === undefined ? {} : { usage: this.#usage }) };
  }

  #add(event: StreamEvent): void {
    switch (event.type) {
      case 'response-start': {
        const { type: _, ...head } = event;
        this.#head = { ...this.#head, ...head };
        return;
      }
      case 'usage':
        this.#usage = { ...this.#usage, ...event.usage };
        return;
      case 'finish':
        this.#candidate(event.candidate).finishReason = event.reason;
        return;
      case 'error':
        this.#error ??= event.error;
        return;
      case 'server-tool':
      case 'opaque': {
        const { candidate, ...part } = event;
        this.#candidate(candidate).parts.push(part);
        return;
      }
      default:
        this.#builder(event).add(event);
    }
  }

  #builder(event: PartEvent): PartBuilder {
    const kind = partKind(event);
    const found = this.#parts.get(`${kind} ${event.part}`);
    if (found !== undefined) return found;
    const candidate = this.#candidate(event.candidate);
    if (event.type === 'citation' && candidate.lastText !== undefined) return candidate.lastText;
    return this.#open(kind, event.part, candidate);
  }

  #open(kind: PartKind, part: string, candidate: CandidateDraft): PartBuilder {
    const builder = createPartBuilder(kind);
    this.#parts.set(`${kind} ${part}`, builder);
    candidate.parts.push(builder);
    if (kind === 'text') candidate.lastText = builder;
    return builder;
  }

  #candidate(index = 0): CandidateDraft {
    let candidate = this.#candidates.get(index);
    if (candidate === undefined) {
      candidate = { parts: [] };
      this.#candidates.set(index, candidate);
    }
    return candidate;
  }
}
