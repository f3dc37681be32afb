import { isJsonObject } from '@bifrost/sdk';
import type { Json, MediaPart, Part, TextPart } from '@bifrost/sdk';
import { decodeAnnotations } from './citations.ts';
import { decodeContentPart } from './content-decode.ts';
import { parseMediaUrl } from './media.ts';
import { ObjectReader, wrongType } from './object-reader.ts';
import { decodeReasoning } from './reasoning.ts';
import { decodeFunctionCall, decodeToolCall } from './tool-calls.ts';

/** The parts of `content`: a string, a list of parts, or nothing. */
export function decodeContent(reader: ObjectReader, isEmptyTextKept: boolean): readonly Part[] {
  const raw = reader.peek('content');
  if (typeof raw === 'string') {
    if (raw === '' && !isEmptyTextKept) {
      reader.plain('content');
      return [];
    }
    reader.take('content');
    return [{ type: 'text', text: raw }];
  }
  if (Array.isArray(raw)) {
    reader.take('content');
    reader.note('content', 'array');
    return (raw as readonly Json[]).map((part, index) =>
      decodeContentPart(part, `${reader.pathOf('content')}[${index}]`, reader.mode),
    );
  }
  if (raw !== undefined && raw !== null && reader.mode.isStrict) {
    throw wrongType(reader.pathOf('content'), raw, 'a string or an array of content parts');
  }
  return [];
}

/** Generated or replayed audio: `{id, data, transcript, expires_at}`, or only the `id` of an earlier answer. */
function decodeAudio(reader: ObjectReader): readonly Part[] {
  const raw = reader.peek('audio');
  if (!isJsonObject(raw)) return [];
  const { data, id, transcript } = raw;
  const source: MediaPart['source'] | undefined =
    typeof data === 'string' && data !== ''
      ? { type: 'base64', data }
      : typeof id === 'string' && id !== ''
        ? { type: 'file-id', fileId: id }
        : undefined;
  if (source === undefined) return [];
  reader.take('audio');
  const inner = new ObjectReader(raw, reader.pathOf('audio'), reader.mode);
  inner.take(source.type === 'base64' ? 'data' : 'id');
  inner.note('field', 'audio');
  const parts: Part[] = [];
  if (typeof transcript === 'string' && transcript !== '') {
    inner.take('transcript');
    parts.push({
      type: 'text',
      text: transcript,
      residue: { dialect: reader.mode.dialect, fields: {}, form: { field: 'transcript' } },
    });
  }
  const residue = inner.rest();
  parts.push({ type: 'media', kind: 'audio', source, ...(residue === undefined ? {} : { residue }) });
  return parts;
}

/** Generated images (OpenRouter): `images: [{type: 'image_url', image_url: {url}}]`. */
function decodeImages(reader: ObjectReader): readonly Part[] {
  const raw = reader.peek('images');
  if (!Array.isArray(raw) || raw.length === 0) return [];
  const parts: Part[] = [];
  for (const [index, one] of (raw as readonly Json[]).entries()) {
    const url = isJsonObject(one) && isJsonObject(one['image_url']) ? one['image_url']['url'] : undefined;
    if (typeof url !== 'string' || !isJsonObject(one) || !isJsonObject(one['image_url'])) return [];
    const inner = new ObjectReader(one, `${reader.pathOf('images')}[${index}]`, reader.mode);
    inner.take('image_url');
    inner.take('type');
    inner.note('field', 'images');
    const residue = inner.rest();
    parts.push({ type: 'media', kind: 'image', ...parseMediaUrl(url), ...(residue === undefined ? {} : { residue }) });
  }
  reader.take('images');
  return parts;
}

/** Puts the citations on the text that they cite: the first text part, as `content` of an answer is one text. */
function attachCitations(parts: readonly Part[], reader: ObjectReader): readonly Part[] {
  const at = parts.findIndex((part) => part.type === 'text');
  if (at === -1) return parts;
  const citations = decodeAnnotations(reader);
  if (citations.length === 0) return parts;
  return parts.map((part, index) => (index === at ? { ...(part as TextPart), citations } : part));
}

/** What an assistant said: thinking, content, audio, images, refusal, tool calls, in this order. */
export function decodeAssistant(reader: ObjectReader, functionCallId: string): readonly Part[] {
  const parts: Part[] = [...decodeReasoning(reader)];
  parts.push(...attachCitations(decodeContent(reader, false), reader), ...decodeAudio(reader), ...decodeImages(reader));
  const refusal = reader.peek('refusal');
  if (typeof refusal === 'string' && refusal !== '') {
    reader.take('refusal');
    parts.push({ type: 'refusal', text: refusal });
  }
  const calls = reader.array('tool_calls') ?? [];
  if (calls.length === 0 && Array.isArray(reader.peek('tool_calls'))) reader.plain('tool_calls');
  for (const [index, call] of calls.entries())
    parts.push(decodeToolCall(call, `${reader.pathOf('tool_calls')}[${index}]`, reader));
  const legacy = reader.peek('function_call');
  const call = isJsonObject(legacy) ? decodeFunctionCall(legacy, functionCallId, reader) : undefined;
  if (call !== undefined) {
    reader.take('function_call');
    parts.push(call);
  }
  return parts;
}
