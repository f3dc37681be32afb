/**
 * What a translation between dialects has to keep, taken out of the canonical model in a form that does not depend on how a
 * dialect groups it: by kind, in order. Dialects merge neighbouring texts, hoist system messages, and put text, reasoning and
 * tool calls into fields of their own, which loses no meaning.
 */
import type {
  Candidate,
  Citation,
  Json,
  MediaPart,
  MediaSource,
  Message,
  Part,
  ReasoningPart,
  ToolResultPart,
} from '@bifrost/sdk';

import { unpackToolCallId } from '@bifrost/core';
import { isJsonObject } from '@bifrost/sdk';
import { asWire } from './exchange.ts';
import { jsonDifferences } from './json-difference.ts';

/** Where a unit stands: message or candidate, then part, then item inside. */
export type Place = readonly number[];

export interface TextUnit {
  readonly role: 'system' | 'user' | 'assistant';
  readonly pieces: readonly string[];
  readonly places: readonly Place[];
}

export interface ValueUnit {
  readonly place: Place;
  /** What has to come back, by name; absent members are not known. */
  readonly fields: { readonly [name: string]: Json | undefined };
}

export interface ConversationProjection {
  /** Neighbouring texts of one role are one unit; whatever is not text is left out. */
  readonly texts: readonly TextUnit[];
  readonly toolCalls: readonly ValueUnit[];
  readonly toolResults: readonly ValueUnit[];
  readonly reasoning: readonly ValueUnit[];
  readonly citations: readonly ValueUnit[];
  readonly media: readonly ValueUnit[];
  readonly refusals: readonly ValueUnit[];
  readonly logprobs: readonly ValueUnit[];
  /** Server tools and opaque parts: no other dialect can say them, so each has to be reported. */
  readonly foreign: readonly ValueUnit[];
  readonly textSignatures: readonly ValueUnit[];
  readonly cacheMarks: readonly ValueUnit[];
}

type Mutable = { -readonly [Key in keyof ConversationProjection]: ConversationProjection[Key][number][] };

const emptyProjection = (): Mutable => ({
  texts: [],
  toolCalls: [],
  toolResults: [],
  reasoning: [],
  citations: [],
  media: [],
  refusals: [],
  logprobs: [],
  foreign: [],
  textSignatures: [],
  cacheMarks: [],
});

/** Tool arguments as a value where they are JSON. No arguments and an empty object mean the same. */
export function argumentsValue(text: string): Json {
  if (text.trim() === '') return {};
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text; // cut off by the length limit, or free text
  }
}

/** The same bytes, whether they are said as text, as base64 or as a data URL. */
function sourceValue(source: MediaSource): Json {
  if (source.type === 'text') return { type: 'base64', data: Buffer.from(source.text).toString('base64') };
  const inline = source.type === 'url' ? /^data:[^,]*;base64,(.*)$/s.exec(source.url) : null;
  return inline === null ? { ...source } : { type: 'base64', data: inline[1] as string };
}

/** Two names of one type. */
const synonyms: Readonly<Record<string, string>> = {
  'audio/mp3': 'audio/mpeg',
  'audio/x-wav': 'audio/wav',
  'image/jpg': 'image/jpeg',
};

function mediaFields(part: MediaPart): ValueUnit['fields'] {
  const { kind, source, mediaType, filename, title, detail } = part;
  const isText = source.type === 'text' || mediaType === 'text/plain';
  const named = mediaType?.split('/', 1)[0];
  return {
    // Some dialects have one kind for all files, with the type beside it.
    kind: named === 'audio' || named === 'video' || named === 'image' ? named : kind === 'file' ? undefined : kind,
    source: sourceValue(source),
    mediaType: isText || mediaType === undefined ? undefined : (synonyms[mediaType] ?? mediaType),
    filename: filename ?? title,
    detail: detail === 'auto' ? undefined : detail,
  };
}

function citationFields({ url, title, citedText, fileId }: Citation): ValueUnit['fields'] {
  return { url, title, citedText, fileId };
}

function reasoningFields({ text, signature, encrypted, origin }: ReasoningPart): ValueUnit['fields'] {
  const isOpaque = signature !== undefined || encrypted !== undefined;
  return { text, signature, encrypted, origin: isOpaque ? origin : undefined };
}

function resultFields(part: ToolResultPart): ValueUnit['fields'] {
  const texts = part.content.flatMap((item) => (item.type === 'text' ? [item.text] : []));
  const text = argumentsValue(texts.join('\n'));
  const media = part.content.flatMap((item) => (item.type === 'media' ? [mediaFields(item)] : []));
  const isError = part.isError === true ? true : undefined;
  return { id: unpackToolCallId(part.toolCallId).id, text, media: media as readonly Json[], isError };
}

const typeOf = (value: Json): string =>
  isJsonObject(value) && typeof value['type'] === 'string' ? value['type'] : 'opaque';

class Projector {
  readonly found: Mutable = emptyProjection();

  add(part: Part, role: TextUnit['role'], place: Place): void {
    const { found } = this;
    if ('cacheControl' in part && part.cacheControl !== undefined)
      found.cacheMarks.push({ place, fields: { cacheControl: 'set' } });
    switch (part.type) {
      case 'text':
        this.#addText(part.text, role, place);
        for (const citation of part.citations ?? []) this.#addCitation({ place, fields: citationFields(citation) });
        if (part.signature !== undefined) found.textSignatures.push({ place, fields: { signature: part.signature } });
        if (part.logprobs !== undefined) {
          found.logprobs.push({ place, fields: { tokens: part.logprobs.map(({ token }) => token) } });
        }
        return;
      case 'refusal':
        this.#addText(part.text, role, place);
        found.refusals.push({ place, fields: { refusal: part.text } });
        return;
      case 'reasoning':
        // An item without text and opaque value says only that the model thought, which the usage says too.
        if (part.text !== '' || part.signature !== undefined || part.encrypted !== undefined)
          found.reasoning.push({ place, fields: reasoningFields(part) });
        return;
      case 'tool-call': {
        const value = part.isFreeform === true ? part.arguments : argumentsValue(part.arguments);
        const { name, isFreeform } = part;
        // A client of a dialect without signatures carries them in the id.
        const { id, signature = part.signature } = unpackToolCallId(part.id);
        found.toolCalls.push({
          place,
          fields: { id, name, arguments: value, signature, isFreeform: isFreeform || undefined },
        });
        return;
      }
      case 'tool-result':
        found.toolResults.push({ place, fields: resultFields(part) });
        // Counted with the others too: some dialects put them beside the result.
        for (const [at, item] of part.content.entries()) {
          if (item.type === 'media') found.media.push({ place: [...place, at], fields: mediaFields(item) });
        }
        return;
      case 'media':
        found.media.push({ place, fields: mediaFields(part) });
        return;
      case 'server-tool':
        found.foreign.push({ place, fields: { name: part.name } });
        return;
      case 'opaque':
        found.foreign.push({ place, fields: { name: typeOf(part.value) } });
    }
  }

  /** The same source cited twice is one source: where in the text it is cited is not compared. */
  #addCitation(unit: ValueUnit): void {
    const { citations } = this.found;
    const isKnown = citations.some(
      (one) => jsonDifferences(asWire(one.fields), asWire(unit.fields), { limit: 1 }).length === 0,
    );
    if (!isKnown) citations.push(unit);
  }

  #addText(text: string, role: TextUnit['role'], place: Place): void {
    if (text === '') return;
    const last = this.found.texts.findLast((unit) => (unit.role === 'system') === (role === 'system'));
    const isJoined = last?.role === role;
    const joined = {
      role,
      pieces: [...(isJoined ? last.pieces : []), text],
      places: [...(isJoined ? last.places : []), place],
    };
    if (isJoined) this.found.texts[this.found.texts.indexOf(last)] = joined;
    else this.found.texts.push(joined);
  }
}

const roles: Readonly<Record<Message['role'], TextUnit['role']>> = {
  system: 'system',
  developer: 'system',
  user: 'user',
  tool: 'user',
  assistant: 'assistant',
};

/** The conversation of a request. System texts come first, wherever they stand. */
export function projectMessages(messages: readonly Message[]): ConversationProjection {
  const projector = new Projector();
  for (const [index, message] of messages.entries()) {
    for (const [at, part] of message.parts.entries()) projector.add(part, roles[message.role], [index, at]);
  }
  const { texts } = projector.found;
  const isSystem = (unit: TextUnit): boolean => unit.role === 'system';
  return {
    ...projector.found,
    texts: [...texts.filter(isSystem), ...texts.filter((unit) => !isSystem(unit))],
  };
}

/** One answer. */
export function projectCandidate(candidate: Candidate): ConversationProjection {
  const projector = new Projector();
  for (const [at, part] of candidate.parts.entries()) projector.add(part, 'assistant', [candidate.index, at]);
  return projector.found;
}
