import { isJsonObject } from '@bifrost/sdk';
import type { Json, JsonObject, MediaPart, TextPart, ToolResultPart } from '@bifrost/sdk';
import { defined } from './fields.ts';
import type { FieldReader } from './fields.ts';
import { decodeFileData, decodeInlineData, encodeMedia } from './media.ts';

/**
 * Keys under which a function's plain answer or its failure is put. Google: "use `output` to specify function output and `error`
 * to specify error details" (FunctionResponse.response); `result` is what its own examples use.
 */
const outputKeys = ['output', 'result'];

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null);
}

/** Reads `functionResponse`; `toolCallId` is found by the caller. */
export function decodeFunctionResponse(reader: FieldReader, toolCallId: string): ToolResultPart {
  const response = reader.json('response') ?? {};
  const toolName = reader.string('name');
  const keys = Object.keys(response);
  const [only] = keys;
  const isError = keys.length === 1 && only === 'error';
  const isPlain = keys.length === 1 && only !== undefined && outputKeys.includes(only);
  const text = isError || isPlain ? textOf(response[only as string]) : JSON.stringify(response);
  const media = (reader.children('parts') ?? []).flatMap((part): readonly MediaPart[] => {
    const inline = part.child('inlineData');
    if (inline !== undefined) return [decodeInlineData(inline)];
    const file = part.child('fileData');
    return file === undefined ? [] : [decodeFileData(file)];
  });
  return {
    type: 'tool-result',
    toolCallId,
    ...(toolName === undefined ? {} : { toolName }),
    content: [{ type: 'text', text }, ...media],
    ...(isError ? { isError } : {}),
  };
}

function responseOf(text: string, isError: boolean): JsonObject {
  if (isError) return { error: text };
  if (!text.trimStart().startsWith('{')) return { output: text };
  try {
    const value = JSON.parse(text) as Json;
    return isJsonObject(value) ? value : { output: text };
  } catch {
    return { output: text }; // plain text that happens to begin with a brace
  }
}

/** The part as `functionResponse`: several texts are joined by line feeds, media stand in `parts`. */
export function encodeFunctionResponse(part: ToolResultPart): JsonObject {
  const texts = part.content.filter((one): one is TextPart => one.type === 'text').map((one) => one.text);
  const media = part.content
    .filter((one): one is MediaPart => one.type === 'media')
    .flatMap((one): readonly JsonObject[] => {
      const encoded = encodeMedia(one);
      return encoded === undefined ? [] : [encoded];
    });
  return defined({
    id: part.toolCallId,
    name: part.toolName ?? part.toolCallId,
    response: responseOf(texts.join('\n'), part.isError ?? false),
    parts: media.length === 0 ? undefined : media,
  });
}
