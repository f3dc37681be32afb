/** A frame that this dialect's decoder made, as the very wire event again: canonical members from its events, the rest from residue. */
import type { Json, JsonObject, Part, StreamEvent, StreamFrame } from '@bifrost/sdk';
import { ResponseAccumulator } from '../../conversation/accumulator.ts';
import type { LossReport } from '../codec.ts';
import { encodeParts } from './block-encoder.ts';
import { encodeCitation } from './citations.ts';
import { parseObject, present } from './fields.ts';
import type { Fields } from './fields.ts';
import { encodeOwnStopReason } from './finish.ts';
import { clientOpaque } from './reasoning.ts';
import { dialect, residueField, withResidue } from './residue.ts';
import { packClientToolCallId } from './tool-call-id.ts';
import { encodeOwnUsage } from './usage.ts';

type EventOf<Type extends StreamEvent['type']> = Extract<StreamEvent, { readonly type: Type }>;

function find<Type extends StreamEvent['type']>(frame: StreamFrame, type: Type): EventOf<Type> | undefined {
  return frame.events.find((event): event is EventOf<Type> => event.type === type);
}

function all<Type extends StreamEvent['type']>(frame: StreamFrame, type: Type): readonly EventOf<Type>[] {
  return frame.events.filter((event): event is EventOf<Type> => event.type === type);
}

const silent: LossReport = { add: () => undefined };

function prefilledContent(frame: StreamFrame, remainder: Json | undefined): readonly JsonObject[] {
  const accumulator = new ResponseAccumulator();
  const content = frame.events.filter((event) => event.type !== 'finish');
  accumulator.push({ events: content });
  const parts = accumulator.result().candidates[0]?.parts ?? [];
  const whole = parts.map((part, index): Part => {
    const fields = (Array.isArray(remainder) ? remainder[index] : undefined) as JsonObject | undefined;
    if (fields === undefined || part.type === 'server-tool' || part.type === 'opaque') return part;
    return { ...part, residue: { dialect, fields } };
  });
  return encodeParts(whole, () => ({
    direction: 'response',
    isOwn: true,
    role: 'assistant',
    path: '',
    report: silent,
  }));
}

function rebuildMessageStart(frame: StreamFrame): Fields {
  const remainder = residueField(frame.residue, 'message') as JsonObject | undefined;
  const start = find(frame, 'response-start');
  const usage = find(frame, 'usage')?.usage;
  const reason = find(frame, 'finish')?.reason;
  const message = present({
    type: 'message',
    role: 'assistant',
    id: start?.id,
    model: start?.model,
    content: prefilledContent(frame, remainder?.['content']),
    stop_reason: reason === undefined ? undefined : encodeOwnStopReason(reason),
    stop_sequence: reason?.stopSequence,
    usage: usage === undefined ? undefined : encodeOwnUsage(usage, remainder?.['usage']),
  });
  return { type: 'message_start', message };
}

function join(events: readonly { readonly text: string }[]): string {
  return events.map((event) => event.text).join('');
}

function rebuildBlock(frame: StreamFrame): JsonObject | undefined {
  const [first] = frame.events;
  switch (first?.type) {
    case 'text-start': {
      const citations = all(frame, 'citation').map((event) => encodeCitation(event.citation));
      return { type: 'text', text: join(all(frame, 'text-delta')), ...(citations.length === 0 ? {} : { citations }) };
    }
    case 'reasoning-start': {
      const end = find(frame, 'reasoning-end');
      if (end !== undefined) return { type: 'redacted_thinking', data: clientOpaque(end) ?? '' };
      return { type: 'thinking', thinking: join(all(frame, 'reasoning-delta')) };
    }
    case 'tool-call-start': {
      const input = parseObject(find(frame, 'tool-call-delta')?.argumentsDelta ?? '');
      return present({
        type: 'tool_use',
        id: packClientToolCallId(first.id, first.signature),
        name: first.name,
        input,
      });
    }
    case 'server-tool':
      return first.value as JsonObject;
    default:
      return undefined; // kept whole in the residue
  }
}

function rebuildDelta(frame: StreamFrame): JsonObject | undefined {
  const [first] = frame.events;
  switch (first?.type) {
    case 'text-delta':
      return { type: 'text_delta', text: first.text };
    case 'reasoning-delta':
      return { type: 'thinking_delta', thinking: first.text };
    case 'tool-call-delta':
      return { type: 'input_json_delta', partial_json: first.argumentsDelta };
    case 'citation':
      return { type: 'citations_delta', citation: encodeCitation(first.citation) };
    default:
      return undefined;
  }
}

function rebuildMessageDelta(frame: StreamFrame): Fields {
  const usage = find(frame, 'usage')?.usage;
  const reason = find(frame, 'finish')?.reason;
  const delta = present({
    stop_reason: reason === undefined ? undefined : encodeOwnStopReason(reason),
    stop_sequence: reason?.stopSequence,
  });
  const encoded = usage === undefined ? undefined : encodeOwnUsage(usage, residueField(frame.residue, 'usage'));
  if (frame.residue?.form?.['cacheSplit'] === 'earlier') delete encoded?.['cache_creation'];
  return present({
    type: 'message_delta',
    delta: Object.keys(delta).length === 0 ? undefined : delta,
    usage: encoded,
  });
}

function rebuildBody(frame: StreamFrame): Fields {
  switch (residueField(frame.residue, 'type')) {
    case 'message_start':
      return rebuildMessageStart(frame);
    case 'content_block_start':
      return present({ type: 'content_block_start', content_block: rebuildBlock(frame) });
    case 'content_block_delta':
      return present({ type: 'content_block_delta', delta: rebuildDelta(frame) });
    case 'message_delta':
      return rebuildMessageDelta(frame);
    default:
      return {};
  }
}

/** The wire event of an own frame: its JSON, and its SSE name where it had one. */
export function rebuildEvent(frame: StreamFrame): { readonly body: Fields; readonly name: string | undefined } {
  const { event, cacheSplit: _, ...form } = frame.residue?.form ?? {};
  const residue = frame.residue === undefined ? undefined : { ...frame.residue, form };
  const body = withResidue(rebuildBody(frame), residue);
  const type = typeof body['type'] === 'string' ? body['type'] : undefined;
  return { body, name: event === undefined ? type : typeof event === 'string' ? event : undefined };
}
