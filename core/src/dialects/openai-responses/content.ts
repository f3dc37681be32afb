/** The content parts of messages and tool outputs. */
import type { JsonObject, MediaPart, OpaquePart, Part, RefusalPart, TextPart } from '@bifrost/sdk';
import { isJsonObject } from '@bifrost/sdk';
import type { LossReport } from '../codec.ts';
import { decodeAnnotation, decodeLogprobs, encodeAnnotations, encodeLogprobs } from './annotations.ts';
import { listField, stringField } from './json-fields.ts';
import { decodeMedia, encodeMedia } from './media.ts';
import type { Remainder } from './residue.ts';
import {
  defined,
  dialect,
  isOwn,
  ownRemainder,
  remainderOf,
  splitItem,
  spread,
  toResidue,
  withItem,
} from './residue.ts';

/** A part that stands inside a message. */
export type ContentPart = TextPart | MediaPart | RefusalPart | OpaquePart;

function decodeText(part: JsonObject, text: string): TextPart {
  const annotations = listField(part, 'annotations');
  const hasAnnotations = annotations !== undefined && annotations.length > 0 && annotations.every(isJsonObject);
  const logprobs = decodeLogprobs(part['logprobs']);
  const taken = ['text', ...(hasAnnotations ? ['annotations'] : []), ...(logprobs === undefined ? [] : ['logprobs'])];
  // Empty lists say nothing: they are form.
  const formal = ['type', ...['annotations', 'logprobs'].filter((key) => listField(part, key)?.length === 0)];
  return {
    type: 'text',
    text,
    ...(hasAnnotations ? { citations: annotations.map((one) => decodeAnnotation(one as JsonObject)) } : {}),
    ...defined({ logprobs }),
    ...toResidue(remainderOf(part, taken, formal)),
  };
}

/** Decodes one content part. The part's own `type` stays in the form: it tells a list from a plain string. */
export function decodeContent(part: JsonObject): ContentPart {
  const { type } = part;
  const text = stringField(part, 'text');
  if ((type === 'input_text' || type === 'output_text' || type === 'text') && text !== undefined) {
    return decodeText(part, text);
  }
  const refusal = stringField(part, 'refusal');
  if (type === 'refusal' && refusal !== undefined) {
    return { type: 'refusal', text: refusal, ...toResidue(remainderOf(part, ['refusal'], ['type'])) };
  }
  // Wrapped, so that an unknown content part is not taken for an unknown item.
  return decodeMedia(part) ?? { type: 'opaque', dialect, value: { $content: part } };
}

/** Puts the item's own remainder on the first of its parts. */
export function startItem<Decoded extends Part>(part: Decoded, item: Remainder): Decoded {
  if (part.type === 'opaque') {
    return { ...part, value: { ...(part.value as JsonObject), $item: { ...item.fields, ...item.form } } };
  }
  if (part.type === 'server-tool') return part;
  return { ...part, ...toResidue(withItem(ownRemainder(part), item)) };
}

/** Decodes a content list into parts, the first of which carries `item`. */
export function decodeContentList(content: readonly JsonObject[], item?: Remainder): readonly ContentPart[] {
  return content.map((one, index) => {
    const part = decodeContent(one);
    return index === 0 && item !== undefined ? startItem(part, item) : part;
  });
}

/** The remainder of the item that begins at this part; undefined where the part goes on with the one before it. */
export function itemStart(part: Part): JsonObject | undefined {
  if (part.type === 'opaque') {
    const value = part.dialect === dialect && isJsonObject(part.value) ? part.value['$item'] : undefined;
    return isJsonObject(value) ? value : undefined;
  }
  return part.type === 'server-tool' ? undefined : splitItem(ownRemainder(part)).item;
}

/** True for an opaque part that stands inside a message. */
export function isContentOpaque(part: OpaquePart): boolean {
  return part.dialect === dialect && isJsonObject(part.value) && isJsonObject(part.value['$content']);
}

function encodeText(part: TextPart, textType: string, report: LossReport): JsonObject {
  if (part.signature !== undefined) {
    report.add({ action: 'dropped', field: 'signature', reason: 'the Responses API has no signature of texts' });
  }
  const annotations = encodeAnnotations(part.citations, report);
  const said = {
    ...(annotations.length === 0 ? {} : { annotations }),
    ...(part.logprobs === undefined ? {} : { logprobs: encodeLogprobs(part.logprobs) }),
  };
  const own = splitItem(ownRemainder(part)).part;
  if (isOwn(part) && own.form['type'] !== undefined) return { ...spread(own), text: part.text, ...said };
  const lists = textType === 'output_text' ? { annotations: [], logprobs: [] } : {};
  return { type: textType, text: part.text, ...lists, ...said };
}

/** Encodes one content part; undefined (and reported) where it cannot be said. `textType` is for texts without a type of their own. */
export function encodeContent(part: ContentPart, textType: string, report: LossReport): JsonObject | undefined {
  switch (part.type) {
    case 'text':
      return encodeText(part, textType, report);
    case 'refusal':
      return { type: 'refusal', ...spread(splitItem(ownRemainder(part)).part), refusal: part.text };
    case 'media': {
      const own = splitItem(ownRemainder(part)).part;
      return encodeMedia({ ...part, ...(isOwn(part) ? { residue: { dialect, ...own } } : {}) }, report);
    }
    case 'opaque': {
      const content = part.dialect === dialect && isJsonObject(part.value) ? part.value['$content'] : undefined;
      if (isJsonObject(content)) return content;
      report.add({ action: 'dropped', field: '', reason: `only ${part.dialect} knows this content` });
      return undefined;
    }
  }
}

/** True for a text that the API may write as a plain string: nothing but text. */
export function isPlainText(part: Part | undefined): part is TextPart {
  if (part?.type !== 'text' || part.citations !== undefined || part.logprobs !== undefined) return false;
  const own = splitItem(ownRemainder(part)).part;
  return own.form['type'] === undefined;
}

/** Reports prompt-cache marks: the API caches on its own. */
export function reportCacheControl(part: { readonly cacheControl?: unknown }, report: LossReport): void {
  if (part.cacheControl !== undefined) {
    report.add({ action: 'dropped', field: 'cache_control', reason: 'the Responses API caches prompts by itself' });
  }
}
