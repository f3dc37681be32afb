import type { JsonObject, MediaPart, Part, ReasoningPart, Residue, TextPart, ToolCallPart } from '@bifrost/sdk';
import { encodeAnnotations } from './citations.ts';
import { encodeContentPart } from './content-encode.ts';
import type { ContentPart } from './content-encode.ts';
import { addResidue, formOf } from './encode-context.ts';
import type { EncodeContext } from './encode-context.ts';
import { formatMediaUrl } from './media.ts';
import type { MutableJson } from './object-reader.ts';
import { encodeReasoning } from './reasoning.ts';
import { encodeFunctionCall, encodeToolCall } from './tool-calls.ts';

interface Sorted {
  readonly content: ContentPart[];
  readonly reasoning: ReasoningPart[];
  readonly media: MediaPart[];
  readonly calls: Part[];
  refusal: string | undefined;
  transcript: string | undefined;
}

function sortParts(parts: readonly Part[], path: string, context: EncodeContext): Sorted {
  const sorted: Sorted = {
    content: [],
    reasoning: [],
    media: [],
    calls: [],
    refusal: undefined,
    transcript: undefined,
  };
  for (const part of parts) {
    const field =
      part.type === 'server-tool' || part.type === 'opaque'
        ? undefined
        : formOf(part.residue, context.dialect)['field'];
    switch (part.type) {
      case 'text':
        if (field === 'transcript') sorted.transcript = part.text;
        else sorted.content.push(part);
        break;
      case 'reasoning':
        if (field === 'content') sorted.content.push(part);
        else sorted.reasoning.push(part);
        break;
      case 'refusal':
        if (field === 'content') sorted.content.push(part);
        else sorted.refusal = (sorted.refusal ?? '') + part.text;
        break;
      case 'media':
        if (part.residue?.dialect === context.dialect && field === undefined) sorted.content.push(part);
        else sorted.media.push(part);
        break;
      case 'opaque':
        sorted.content.push(part);
        break;
      case 'tool-call':
      case 'server-tool':
        sorted.calls.push(part);
        break;
      case 'tool-result':
        context.report.add({
          action: 'dropped',
          field: `${path}.tool_result`,
          reason: 'an answer cannot hold a tool result',
        });
    }
  }
  return sorted;
}

/** A list where the caller used one or where a string cannot hold the parts; answers of other dialects always get a string. */
function isContentList(content: readonly ContentPart[], message: MessageFrame, context: EncodeContext): boolean {
  if (message.form['content'] === 'array') return true;
  const knowsMarkers = context.isOwn || context.quirks.extraFields?.includes('cache_control') === true;
  return content.some((part) => {
    if (part.type === 'text') return part.cacheControl !== undefined && context.direction === 'request' && knowsMarkers;
    return part.type !== 'opaque' || part.dialect === context.dialect;
  });
}

function addContent(
  target: MutableJson,
  content: readonly ContentPart[],
  message: MessageFrame,
  context: EncodeContext,
): void {
  const texts = content.filter((part): part is TextPart => part.type === 'text');
  const list = content.flatMap(
    (part, index) => encodeContentPart(part, `${message.path}.content[${index}]`, context) ?? [],
  );
  if (isContentList(content, message, context)) target['content'] = list;
  else if (texts.length > 0) target['content'] = texts.map((part) => part.text).join('');
  const annotations = encodeAnnotations(texts, message.path, context);
  if (annotations.length > 0) target['annotations'] = annotations;
  for (const [index, part] of texts.entries()) {
    if (part.signature !== undefined) {
      context.report.add({
        action: 'dropped',
        field: `${message.path}.content[${index}].signature`,
        reason: 'no field for a signature of text',
      });
    }
  }
}

function addMedia(target: MutableJson, sorted: Sorted, path: string, context: EncodeContext): void {
  const images: JsonObject[] = [];
  for (const part of sorted.media) {
    const isOwn = part.residue?.dialect === context.dialect;
    if (part.kind === 'audio' && (isOwn || context.direction === 'response' || part.source.type === 'file-id')) {
      const audio: MutableJson = {};
      if (part.source.type === 'base64') audio['data'] = part.source.data;
      else if (part.source.type === 'file-id') audio['id'] = part.source.fileId;
      if (sorted.transcript !== undefined) audio['transcript'] = sorted.transcript;
      target['audio'] = addResidue(audio, part.residue, `${path}.audio`, context);
      continue;
    }
    const url = formatMediaUrl(part.source, part.mediaType);
    if (part.kind === 'image' && url !== undefined && (isOwn || context.direction === 'response')) {
      images.push(
        addResidue(
          { type: 'image_url', image_url: { url } },
          part.residue,
          `${path}.images[${images.length}]`,
          context,
        ),
      );
      continue;
    }
    context.report.add({
      action: 'dropped',
      field: `${path}.${part.kind}`,
      reason: `an assistant message cannot hold this ${part.kind}`,
    });
  }
  if (images.length > 0) target['images'] = images;
}

function addCalls(target: MutableJson, calls: readonly Part[], path: string, context: EncodeContext): void {
  const toolCalls: (JsonObject | Part)[] = [];
  for (const part of calls) {
    const at = `${path}.tool_calls[${toolCalls.length}]`;
    if (part.type === 'tool-call') {
      if (isLegacyCall(part, context))
        target['function_call'] = encodeFunctionCall(part, `${path}.function_call`, context);
      else toolCalls.push(encodeToolCall(part, at, context));
    } else if (part.type === 'server-tool' && part.dialect === context.dialect)
      toolCalls.push(part.value as JsonObject);
    else if (part.type === 'server-tool') {
      context.report.add({ action: 'dropped', field: at, reason: `only ${part.dialect} knows ${part.name}` });
    }
  }
  if (toolCalls.length > 0) target['tool_calls'] = toolCalls as unknown as JsonObject[];
}

/** True for a call that came as the legacy `function_call`. */
export function isLegacyCall(part: ToolCallPart, context: EncodeContext): boolean {
  return formOf(part.residue, context.dialect)['field'] === 'function_call';
}

/** Where a message is and how it was spelled. */
export interface MessageFrame {
  readonly path: string;
  readonly form: JsonObject;
  readonly residue?: Residue;
}

/** The assistant message of a request or an answer. `content` is null where there is no text. */
export function encodeAssistant(parts: readonly Part[], message: MessageFrame, context: EncodeContext): MutableJson {
  const target: MutableJson = { role: 'assistant' };
  const sorted = sortParts(parts, message.path, context);
  addContent(target, sorted.content, message, context);
  encodeReasoning(target, sorted.reasoning, message, context);
  if (sorted.refusal !== undefined) target['refusal'] = sorted.refusal;
  addMedia(target, sorted, message.path, context);
  addCalls(target, sorted.calls, message.path, context);
  addResidue(target, message.residue, message.path, context);
  const isAbsent = (message.form['absent'] as readonly string[] | undefined)?.includes('content') === true;
  if (target['content'] === undefined && !isAbsent) target['content'] = null;
  return target;
}
