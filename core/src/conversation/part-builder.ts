import type { Citation, MediaSource, Part, StreamEvent, TokenLogprob } from '@bifrost/sdk';

/** A streamed part under construction. */
export interface PartBuilder {
  add(event: StreamEvent): void;
  build(): Part;
}

/** An event that belongs to a part. */
export type PartEvent = Extract<StreamEvent, { readonly part: string }>;

/** Which builder an event belongs to; a citation belongs to its text. */
export type PartKind = 'text' | 'refusal' | 'reasoning' | 'tool-call' | 'media';

const kinds: Readonly<Record<PartEvent['type'], PartKind>> = {
  'text-start': 'text',
  'text-delta': 'text',
  'text-end': 'text',
  citation: 'text',
  'refusal-start': 'refusal',
  'refusal-delta': 'refusal',
  'refusal-end': 'refusal',
  'reasoning-start': 'reasoning',
  'reasoning-delta': 'reasoning',
  'reasoning-end': 'reasoning',
  'tool-call-start': 'tool-call',
  'tool-call-delta': 'tool-call',
  'tool-call-end': 'tool-call',
  'media-delta': 'media',
};

/** The kind of part that an event builds. */
export function partKind(event: PartEvent): PartKind {
  return kinds[event.type];
}

/** Only the members of `event` that are named and set. */
function pick<Event extends object, Name extends keyof Event>(
  event: Event,
  ...names: readonly Name[]
): Pick<Event, Name> {
  const picked: Partial<Event> = {};
  for (const name of names) if (event[name] !== undefined) picked[name] = event[name];
  return picked as Pick<Event, Name>;
}

class TextBuilder implements PartBuilder {
  #text = '';
  #logprobs: TokenLogprob[] | undefined;
  #citations: Citation[] | undefined;
  #end: { readonly signature?: string } = {};

  add(event: StreamEvent): void {
    if (event.type === 'text-delta') {
      this.#text += event.text;
      if (event.logprobs !== undefined) (this.#logprobs ??= []).push(...event.logprobs);
    } else if (event.type === 'citation') (this.#citations ??= []).push(event.citation);
    else if (event.type === 'text-end') this.#end = { ...this.#end, ...pick(event, 'signature') };
  }

  build(): Part {
    return {
      type: 'text',
      text: this.#text,
      ...(this.#citations === undefined ? {} : { citations: this.#citations }),
      ...this.#end,
      ...(this.#logprobs === undefined ? {} : { logprobs: this.#logprobs }),
    };
  }
}

class RefusalBuilder implements PartBuilder {
  #text = '';

  add(event: StreamEvent): void {
    if (event.type === 'refusal-delta') this.#text += event.text;
  }

  build(): Part {
    return { type: 'refusal', text: this.#text };
  }
}

class ReasoningBuilder implements PartBuilder {
  #text = '';
  #fields: object = {};

  add(event: StreamEvent): void {
    if (event.type === 'reasoning-delta') this.#text += event.text;
    else if (event.type === 'reasoning-start') this.#fields = { ...this.#fields, ...pick(event, 'id', 'isSummary') };
    else if (event.type === 'reasoning-end') {
      this.#fields = { ...this.#fields, ...pick(event, 'signature', 'origin', 'encrypted') };
    }
  }

  build(): Part {
    return { type: 'reasoning', text: this.#text, ...this.#fields };
  }
}

class ToolCallBuilder implements PartBuilder {
  #id = '';
  #name = '';
  #arguments = '';
  #fields: object = {};

  add(event: StreamEvent): void {
    if (event.type === 'tool-call-delta') this.#arguments += event.argumentsDelta;
    else if (event.type === 'tool-call-start') {
      this.#id = event.id;
      this.#name = event.name;
      this.#fields = { ...this.#fields, ...pick(event, 'isFreeform', 'signature') };
    } else if (event.type === 'tool-call-end') this.#fields = { ...this.#fields, ...pick(event, 'signature') };
  }

  build(): Part {
    return { type: 'tool-call', id: this.#id, name: this.#name, arguments: this.#arguments, ...this.#fields };
  }
}

/** Joins base64 pieces. Pieces that were padded one by one are decoded and encoded anew: padding may only stand at the end. */
function joinBase64(pieces: readonly string[]): string {
  if (!pieces.slice(0, -1).some((piece) => piece.endsWith('='))) return pieces.join('');
  return Buffer.concat(pieces.map((piece) => Buffer.from(piece, 'base64'))).toString('base64');
}

class MediaBuilder implements PartBuilder {
  readonly #pieces: string[] = [];
  #kind: 'image' | 'audio' | 'video' | 'file' = 'file';
  #source: MediaSource | undefined;
  #fields: object = {};

  add(event: StreamEvent): void {
    if (event.type !== 'media-delta') return;
    this.#kind = event.kind;
    this.#source = event.source ?? this.#source;
    if (event.data !== '') this.#pieces.push(event.data);
    this.#fields = { ...this.#fields, ...pick(event, 'mediaType', 'filename', 'signature') };
  }

  build(): Part {
    const source = this.#source ?? { type: 'base64', data: joinBase64(this.#pieces) };
    return { type: 'media', kind: this.#kind, source, ...this.#fields };
  }
}

const builders: Readonly<Record<PartKind, new () => PartBuilder>> = {
  text: TextBuilder,
  refusal: RefusalBuilder,
  reasoning: ReasoningBuilder,
  'tool-call': ToolCallBuilder,
  media: MediaBuilder,
};

/** A builder for one part. */
export function createPartBuilder(kind: PartKind): PartBuilder {
  return new builders[kind]();
}
