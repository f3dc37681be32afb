import type { MediaPart, Part, ReasoningPart, TextPart, ToolCallPart, ToolResultPart } from '@bifrost/sdk';
import type { LossReport } from '../codec.ts';
import { reportCacheControl, reportResidue } from './foreign-settings.ts';
import { dialect } from './form.ts';
import { encodeMedia } from './media.ts';

interface ForeignContext {
  /** The message's path in the request. */
  readonly path: string;
  readonly report: LossReport;
  /** Function names by the ids of their calls: a result of another dialect has only the id. */
  readonly names: ReadonlyMap<string, string>;
  /** Function responses may hold media (Gemini 3: https://ai.google.dev/gemini-api/docs/function-calling#multimodal). */
  readonly hasNestedMedia: boolean;
}

/** The parts of one message as Gemini can take them. */
export function adaptForeignParts(parts: readonly Part[], context: ForeignContext): readonly Part[] {
  return parts.flatMap((part, index) => adaptPart(part, { ...context, path: `${context.path}.content[${index}]` }));
}

function adaptPart(part: Part, context: ForeignContext): readonly Part[] {
  const { path, report } = context;
  if (part.type === 'server-tool' || part.type === 'opaque') {
    if (part.dialect === dialect) return [part];
    const name = part.type === 'server-tool' ? part.name : 'this part';
    report.add({ action: 'dropped', field: path, reason: `only a provider of ${part.dialect} can read ${name}` });
    return [];
  }
  reportResidue(part.residue, `${path}.`, report);
  if ('cacheControl' in part) reportCacheControl(part, path, report);
  switch (part.type) {
    case 'text':
      return adaptText(part, context);
    case 'refusal':
      report.add({ action: 'changed', field: path, reason: 'a refusal is sent as text' });
      return [part];
    case 'reasoning':
      return adaptReasoning(part, context);
    case 'media':
      return adaptMedia(part, context);
    case 'tool-call':
      return adaptCall(part, context);
    case 'tool-result':
      return adaptResult(part, context);
  }
}

function adaptText(part: TextPart, { path, report }: ForeignContext): readonly Part[] {
  if (part.citations !== undefined && part.citations.length > 0) {
    report.add({ action: 'dropped', field: `${path}.citations`, reason: 'Gemini takes no citations back' });
    part.citations.forEach(({ residue }, index) => reportResidue(residue, `${path}.citations[${index}].`, report));
  }
  // Vertex refuses empty texts; nothing is lost with one.
  return part.text === '' && part.signature === undefined ? [] : [part];
}

function adaptReasoning(part: ReasoningPart, { path, report }: ForeignContext): readonly Part[] {
  const hasOpaque = part.signature !== undefined || part.encrypted !== undefined;
  if (part.origin === dialect) return [part];
  if (hasOpaque) {
    const field = part.encrypted === undefined ? 'signature' : 'encrypted';
    report.add({ action: 'dropped', field: `${path}.${field}`, reason: 'made by another provider' });
  }
  if (part.text !== '') return [{ type: 'reasoning', text: part.text }];
  if (!hasOpaque)
    report.add({ action: 'dropped', field: path, reason: 'a thought without a text says nothing to Gemini' });
  return [];
}

function adaptMedia(part: MediaPart, { path, report }: ForeignContext): readonly MediaPart[] {
  if (encodeMedia(part) === undefined) {
    report.add({
      action: 'dropped',
      field: path,
      reason: 'the file is stored at another provider: send its bytes or a URL',
    });
    return [];
  }
  if (part.source.type === 'text') {
    report.add({ action: 'changed', field: `${path}.source`, reason: 'the text of the document is sent as base64' });
  }
  for (const name of ['detail', 'filename', 'title'] as const) {
    if (part[name] !== undefined)
      report.add({ action: 'dropped', field: `${path}.${name}`, reason: 'no such field in Gemini' });
  }
  return [part];
}

function adaptCall(part: ToolCallPart, { path, report }: ForeignContext): readonly Part[] {
  if (part.isFreeform === true || !isJsonObjectText(part.arguments)) {
    report.add({ action: 'changed', field: `${path}.arguments`, reason: 'no JSON object: put under the key "input"' });
  }
  return [part];
}

function isJsonObjectText(text: string): boolean {
  if (text.trim() === '') return true;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

function adaptResult(part: ToolResultPart, context: ForeignContext): readonly Part[] {
  const { path, report, names } = context;
  const toolName = part.toolName ?? names.get(part.toolCallId);
  if (toolName === undefined) {
    report.add({ action: 'changed', field: path, reason: 'no call has this id: it is sent as the function name too' });
  }
  const content = part.content.flatMap((one, index) =>
    adaptPart(one, { ...context, path: `${path}.content[${index}]` }),
  );
  const texts = content.filter((one): one is TextPart => one.type === 'text');
  const media = content.filter((one): one is MediaPart => one.type === 'media');
  const isNested = context.hasNestedMedia || media.length === 0;
  if (!isNested) {
    report.add({ action: 'changed', field: `${path}.content`, reason: 'media of a tool result stand beside it' });
  }
  const result: ToolResultPart = {
    type: 'tool-result',
    toolCallId: part.toolCallId,
    toolName: toolName ?? part.toolCallId,
    content: isNested ? [...texts, ...media] : texts,
    ...(part.isError === undefined ? {} : { isError: part.isError }),
  };
  return isNested ? [result] : [result, ...media];
}
