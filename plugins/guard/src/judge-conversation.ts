/** Judges whole conversations: every text that a message or an answer carries. */
import type {
  Citation,
  ConversationRequest,
  ConversationResponse,
  Json,
  JsonObject,
  Part,
  Residue,
  TextPart,
} from '@bifrost/sdk';
import type { ActiveDetector } from './guard-config.ts';
import { redact, scan } from './scan.ts';
import type { Hit } from './scan.ts';

export interface JudgeOptions {
  readonly detectors: readonly ActiveDetector[];
  readonly replacement: string;
}

/** What was found in a value, and the value with the hits replaced: the same value where none is to be replaced. */
export interface Verdict<Value> {
  readonly hits: readonly Hit[];
  readonly value: Value;
}

/** Members of a provider's own values that only the provider can read, and that have to come back as they were. */
const isSealed = /signature|^encrypted/i;

/** Gathers hits while values are rebuilt only where something in them changes. */
class Judge {
  readonly hits: Hit[] = [];
  readonly #options: JudgeOptions;

  constructor(options: JudgeOptions) {
    this.#options = options;
  }

  text(text: string): string {
    const hits = scan(text, this.#options.detectors);
    this.hits.push(...hits);
    const replaced = hits.filter(({ action }) => action === 'redact');
    return replaced.length === 0 ? text : redact(text, replaced, this.#options.replacement);
  }

  /** Maps a list; the list itself where every item stays. */
  list<Item>(items: readonly Item[], judge: (item: Item) => Item): readonly Item[] {
    const judged = items.map(judge);
    return judged.every((item, index) => item === items[index]) ? items : judged;
  }

  /** A value of the provider's own: every text in it. */
  value(value: Json): Json {
    if (typeof value === 'string') return this.text(value);
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return this.list(value as readonly Json[], (item) => this.value(item));
    const members = Object.entries(value as JsonObject);
    let isChanged = false;
    const judged = members.map(([name, member]): readonly [string, Json | undefined] => {
      if (member === undefined || isSealed.test(name)) return [name, member];
      const [madeName, made] = [this.text(name), this.value(member)];
      isChanged ||= madeName !== name || made !== member;
      return [madeName, made];
    });
    return isChanged ? Object.fromEntries(judged) : value;
  }

  /** What only the dialect has a name for, beside what the model of conversations knows. */
  residual<Holder extends object>(holder: Holder): Holder {
    const { residue }: { readonly residue?: Residue } = holder;
    if (residue === undefined) return holder;
    const fields = this.value(residue.fields);
    if (fields === residue.fields) return holder;
    // A copy of an object of JSON is one.
    return { ...holder, residue: { ...residue, fields: fields as JsonObject } };
  }

  /** Tokens with their probabilities spell the text once more, and what is cited may be what is looked for. */
  textPart(part: TextPart): TextPart {
    const text = this.text(part.text);
    const citations = part.citations === undefined ? undefined : this.list(part.citations, (one) => this.citation(one));
    if (text === part.text && citations === part.citations) return part;
    const { logprobs, ...plain } = part;
    const isSame = text === part.text && logprobs !== undefined;
    return { ...plain, text, ...(citations === undefined ? {} : { citations }), ...(isSame ? { logprobs } : {}) };
  }

  citation(citation: Citation): Citation {
    // Its members are plain data, and stay what they were.
    const judged = this.value(citation as unknown as JsonObject);
    return judged as unknown as Citation;
  }

  part<AnyPart extends Part>(part: AnyPart): AnyPart {
    return this.residual(this.ownPart(part));
  }

  ownPart<AnyPart extends Part>(part: AnyPart): AnyPart {
    switch (part.type) {
      case 'text':
        // A text part comes back as one.
        return this.textPart(part) as AnyPart;
      case 'refusal':
      case 'reasoning': {
        const text = this.text(part.text);
        return text === part.text ? part : { ...part, text };
      }
      case 'tool-call': {
        const written = this.text(part.arguments);
        return written === part.arguments ? part : { ...part, arguments: written };
      }
      case 'tool-result': {
        const content = this.list(part.content, (item) => this.part(item));
        return content === part.content ? part : { ...part, content };
      }
      case 'media': {
        if (part.source.type !== 'text') return part;
        const text = this.text(part.source.text);
        return text === part.source.text ? part : { ...part, source: { ...part.source, text } };
      }
      case 'server-tool':
      case 'opaque': {
        const value = this.value(part.value);
        return value === part.value ? part : { ...part, value };
      }
      default:
        return part;
    }
  }
}

/** Judges a value that only the provider's dialect has a name for, such as a tool that the provider runs. */
export function judgeValue(value: Json, options: JudgeOptions): Verdict<Json> {
  const judge = new Judge(options);
  const judged = judge.value(value);
  return { hits: judge.hits, value: judged };
}

/** Judges the messages of a request. */
export function judgeRequest(request: ConversationRequest, options: JudgeOptions): Verdict<ConversationRequest> {
  const judge = new Judge(options);
  const messages = judge.list(request.messages, (message) => {
    const parts = judge.list(message.parts, (part) => judge.part(part));
    return parts === message.parts ? message : { ...message, parts };
  });
  return { hits: judge.hits, value: messages === request.messages ? request : { ...request, messages } };
}

/** Judges a whole answer. */
export function judgeResponse(response: ConversationResponse, options: JudgeOptions): Verdict<ConversationResponse> {
  const judge = new Judge(options);
  const candidates = judge.list(response.candidates, (candidate) => {
    const parts = judge.list(candidate.parts, (part) => judge.part(part));
    return judge.residual(parts === candidate.parts ? candidate : { ...candidate, parts });
  });
  const value = judge.residual(candidates === response.candidates ? response : { ...response, candidates });
  return { hits: judge.hits, value };
}

/** Judges what a stream cites. */
export function judgeCitation(citation: Citation, options: JudgeOptions): Verdict<Citation> {
  const judge = new Judge(options);
  const value = judge.citation(citation);
  return { hits: judge.hits, value };
}
