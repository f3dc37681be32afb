/** Messages and parts as items: the way back from `item-decode.ts`, and the first way for what other dialects decoded. */
import type {
  JsonObject,
  MediaPart,
  Message,
  OpaquePart,
  Part,
  ReasoningPart,
  Role,
  ServerToolPart,
  ToolCallPart,
  ToolResultPart,
} from '@bifrost/sdk';
import { isJsonObject } from '@bifrost/sdk';
import { packToolCallId } from '../provenance.ts';
import type { LossReport } from '../codec.ts';
import type { ContentPart } from './content.ts';
import { encodeContent, isContentOpaque, isPlainText, itemStart, reportCacheControl } from './content.ts';
import type { ItemContext } from './item-context.ts';
import { reportOf } from './item-context.ts';
import { reportBelow } from './loss-path.ts';
import { encodeReasoning } from './reasoning-encode.ts';
import { dialect, isOwn, listOf, ownRemainder, reportForeign, splitItem, spread } from './residue.ts';

type Group =
  | { readonly kind: 'message'; readonly role: Role; readonly item: JsonObject; readonly parts: ContentPart[] }
  | { readonly kind: 'reasoning'; readonly item: JsonObject; readonly parts: ReasoningPart[] }
  | { readonly kind: 'single'; readonly part: ToolCallPart | ToolResultPart | ServerToolPart | OpaquePart | MediaPart };

function isContent(part: Part): part is ContentPart {
  if (part.type === 'opaque') return isContentOpaque(part);
  return part.type === 'text' || part.type === 'refusal' || part.type === 'media';
}

function isGeneratedImage(part: Part, role: Role, context: ItemContext): part is MediaPart {
  if (part.type !== 'media' || part.kind !== 'image') return false;
  if (itemStart(part)?.['type'] === 'image_generation_call') return true;
  return role === 'assistant' && context.mode === 'response' && !isOwn(part);
}

/** Puts the parts of one message into items: a part with an item's remainder begins one, others go on where they can. */
function groupParts(message: Message, context: ItemContext): readonly Group[] {
  const groups: Group[] = [];
  const messageItem = splitItem(ownRemainder(message)).item;
  for (const part of message.parts) {
    const item = itemStart(part);
    const last = groups.at(-1);
    if (isGeneratedImage(part, message.role, context)) groups.push({ kind: 'single', part });
    else if (isContent(part)) {
      if (item === undefined && last?.kind === 'message') last.parts.push(part);
      else {
        const remainder = item ?? (groups.some((group) => group.kind === 'message') ? {} : (messageItem ?? {}));
        groups.push({ kind: 'message', role: message.role, item: remainder, parts: [part] });
      }
    } else if (part.type === 'reasoning') {
      if (item === undefined && isOwn(part) && last?.kind === 'reasoning') last.parts.push(part);
      else if (
        item === undefined &&
        last?.kind === 'reasoning' &&
        part.id !== undefined &&
        part.id === last.parts[0]?.id
      ) {
        last.parts.push(part);
      } else groups.push({ kind: 'reasoning', item: item ?? {}, parts: [part] });
    } else groups.push({ kind: 'single', part });
  }
  if (message.parts.length === 0 && messageItem !== undefined) {
    groups.push({ kind: 'message', role: message.role, item: messageItem, parts: [] });
  }
  return groups;
}

function itemRole(role: Role): Role {
  return role === 'tool' ? 'user' : role;
}

function encodeMessage(group: Extract<Group, { kind: 'message' }>, context: ItemContext): JsonObject | undefined {
  const { mode } = context;
  const role = itemRole(group.role);
  const textType = role === 'assistant' ? 'output_text' : 'input_text';
  const [first] = group.parts;
  for (const part of group.parts) if ('cacheControl' in part) reportCacheControl(part, reportOf(context, part));
  if (mode === 'request' && group.parts.length === 1 && isPlainText(first)) {
    if (first.signature !== undefined) encodeContent(first, textType, reportOf(context, first));
    return { ...group.item, role, content: first.text };
  }
  const content = group.parts.flatMap((part): JsonObject[] => {
    if (role === 'assistant' && part.type === 'media' && !isOwn(part)) {
      reportOf(context, part).add({
        action: 'dropped',
        field: '',
        reason: 'an assistant message of the Responses API holds only text',
      });
      return [];
    }
    return listOf(encodeContent(part, textType, reportOf(context, part)));
  });
  if (content.length === 0 && group.parts.length > 0) return undefined;
  if (mode === 'request') return { ...group.item, role, content };
  const defaults = { id: context.newId('msg'), type: 'message', status: context.status ?? 'completed' };
  return { ...(Object.keys(group.item).length === 0 ? defaults : {}), ...group.item, role, content };
}

function encodeCall(part: ToolCallPart, context: ItemContext): JsonObject {
  const { mode } = context;
  const report = reportOf(context, part);
  reportCacheControl(part, report);
  if (mode === 'request' && part.signature !== undefined) {
    report.add({
      action: 'dropped',
      field: 'signature',
      reason: 'it means something only to the provider that made it',
    });
  }
  const callId = mode === 'response' ? packToolCallId(part.id, part.signature) : part.id;
  const isFreeform = part.isFreeform === true;
  const generated =
    mode === 'response' ? { id: context.newId(isFreeform ? 'ctc' : 'fc'), status: context.status ?? 'completed' } : {};
  return {
    ...(isOwn(part) ? spread(ownRemainder(part)) : generated),
    type: isFreeform ? 'custom_tool_call' : 'function_call',
    call_id: callId,
    name: part.name,
    [isFreeform ? 'input' : 'arguments']: part.arguments,
  };
}

function encodeResult(part: ToolResultPart, context: ItemContext, isFreeform: boolean): JsonObject {
  const report = reportOf(context, part);
  reportCacheControl(part, report);
  if (part.isError === true) {
    report.add({
      action: 'dropped',
      field: 'is_error',
      reason: 'the Responses API has no mark for failed tools',
    });
  }
  const { output: form, ...own } = spread(ownRemainder(part));
  const [first] = part.content;
  const content =
    part.content.length === 1 && isPlainText(first)
      ? first.text
      : part.content.flatMap((one, index) =>
          listOf(encodeContent(one, 'input_text', reportBelow(report, `content[${index}]`))),
        );
  return {
    type: isFreeform ? 'custom_tool_call_output' : 'function_call_output',
    ...own,
    call_id: part.toolCallId,
    output: content.length === 0 && !Array.isArray(form) ? '' : content,
  };
}

function encodeGeneratedImage(part: MediaPart, context: ItemContext): JsonObject | undefined {
  if (part.source.type !== 'base64') {
    reportOf(context, part).add({
      action: 'dropped',
      field: '',
      reason: 'the Responses API answers images as base64 only',
    });
    return undefined;
  }
  const defaults = { id: context.newId('ig'), type: 'image_generation_call', status: 'completed' };
  return { ...(itemStart(part) ?? defaults), result: part.source.data };
}

function encodeSingle(
  part: Extract<Group, { kind: 'single' }>['part'],
  context: ItemContext,
  freeformIds: ReadonlySet<string>,
): JsonObject | undefined {
  switch (part.type) {
    case 'tool-call':
      return encodeCall(part, context);
    case 'tool-result':
      return encodeResult(part, context, freeformIds.has(part.toolCallId));
    case 'media':
      return encodeGeneratedImage(part, context);
    default:
      if (part.dialect === dialect && isJsonObject(part.value)) return part.value;
      reportOf(context, part).add({ action: 'dropped', field: '', reason: `only ${part.dialect} knows it` });
      return undefined;
  }
}

function encodeGroup(group: Group, context: ItemContext, freeformIds: ReadonlySet<string>): JsonObject | undefined {
  if (group.kind === 'message') return encodeMessage(group, context);
  if (group.kind === 'reasoning') return encodeReasoning(group.parts, group.item, context);
  return encodeSingle(group.part, context, freeformIds);
}

/** A message and where it stands, for reports. */
export interface PlacedMessage {
  readonly message: Message;
  /** The list of its parts, e.g. `messages[3].content`. */
  readonly path: string;
}

/** The items of some messages. */
export function encodeItems(messages: readonly PlacedMessage[], context: ItemContext): readonly JsonObject[] {
  const freeformIds = new Set<string>();
  return messages.flatMap(({ message, path }) => {
    const places = new Map(message.parts.map((part, index) => [part, `${path}[${index}]`]));
    const reportOfPart = (part: Part): LossReport => reportBelow(context.report, places.get(part) ?? path);
    const placed = { ...context, reportOfPart };
    const messagePath = path.replace(/\.?content$/, '');
    if (message.name !== undefined) {
      const reason = 'the Responses API names no participants';
      context.report.add({ action: 'dropped', field: `${messagePath}.name`, reason });
    }
    reportForeign(message, context.report, `${messagePath}.`);
    for (const part of message.parts) {
      if ('residue' in part) reportForeign(part, reportOfPart(part));
      if (part.type === 'tool-call' && part.isFreeform === true) freeformIds.add(part.id);
    }
    return groupParts(message, placed).flatMap((group) => listOf(encodeGroup(group, placed, freeformIds)));
  });
}
