/** What can be said of a stream event without decoding it: for streams that pass through untouched. */
import type { Json, Usage } from '@bifrost/sdk';
import { isJsonObject } from '@bifrost/sdk';
import type { SseEvent } from '../../sse/event.ts';
import type { StreamEventClass } from '../codec.ts';
import { decodeUsage } from './usage.ts';

const classes: Readonly<Record<string, StreamEventClass>> = {
  'response.created': 'lifecycle',
  'response.queued': 'lifecycle',
  'response.in_progress': 'lifecycle',
  keepalive: 'lifecycle',
  ping: 'lifecycle',
  'response.completed': 'terminal',
  'response.incomplete': 'terminal',
  'response.failed': 'error',
  error: 'error',
};

const typeField = /"type"\s*:\s*"([^"\\]*)"/g;

function typeOf(event: SseEvent): string {
  if (event.event !== undefined && event.event !== '' && event.event !== 'message') return event.event;
  // Without an event name the `type` of the object decides; it is the first one only where no nested object comes before it.
  const found = [...event.data.slice(0, 4096).matchAll(typeField)].map((match) => match[1] ?? '');
  const named = found.find((type) => type === 'error' || type.startsWith('response.'));
  return named ?? found[0] ?? '';
}

function parse(data: string): Json | undefined {
  try {
    return JSON.parse(data) as Json;
  } catch {
    return undefined; // not JSON: nothing can be read from it
  }
}

/** An item or a content part that says nothing yet. */
function isEmptyStart(event: SseEvent, key: 'item' | 'part'): boolean {
  const json = parse(event.data);
  const value = isJsonObject(json) ? json[key] : undefined;
  if (!isJsonObject(value)) return false;
  if (key === 'part') return value['text'] === '' || value['refusal'] === '';
  const { type, content, summary } = value;
  if (type === 'message') return content === undefined || (Array.isArray(content) && content.length === 0);
  const isListEmpty = (list: Json | undefined): boolean => !Array.isArray(list) || list.length === 0;
  return type === 'reasoning' && isListEmpty(content) && isListEmpty(summary);
}

/** Classifies an event by its name; only announcements of items and parts are looked into. */
export function classifyStreamEvent(event: SseEvent): StreamEventClass {
  if (event.data === '[DONE]') return 'terminal';
  const type = typeOf(event);
  const known = classes[type];
  if (known !== undefined) return known;
  if (type === 'response.output_item.added') return isEmptyStart(event, 'item') ? 'lifecycle' : 'content';
  if (type === 'response.content_part.added' || type === 'response.reasoning_summary_part.added') {
    return isEmptyStart(event, 'part') ? 'lifecycle' : 'content';
  }
  if (type.endsWith('.delta') && event.data.includes('"delta":""')) return 'lifecycle';
  // An error object without a name of its own, as gateways in front of a provider send it.
  if (type === '' && event.data.includes('"error"')) return 'error';
  return 'content';
}

/** The usage of an event; only `response.completed`, `response.incomplete` and `response.failed` have one. */
export function readStreamUsage(event: SseEvent): Usage | undefined {
  // The name decides without a look at the data; a stream without names is searched for the word first.
  if (event.event === undefined && !event.data.includes('"usage"')) return undefined;
  const type = typeOf(event);
  if (type !== 'response.completed' && type !== 'response.incomplete' && type !== 'response.failed') return undefined;
  const json = parse(event.data);
  const response = isJsonObject(json) ? json['response'] : undefined;
  return isJsonObject(response) ? decodeUsage(response['usage']) : undefined;
}
