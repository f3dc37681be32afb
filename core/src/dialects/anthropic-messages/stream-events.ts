/** Reading wire events of a stream that is passed through undecoded: their class and their usage, with as little parsing as will do. */
import { isJsonObject } from '@bifrost/sdk';
import type { Usage } from '@bifrost/sdk';
import type { SseEvent } from '../../sse/event.ts';
import type { StreamEventClass } from '../codec.ts';
import { parseObject } from './fields.ts';
import { takeUsage } from './usage.ts';

const names: ReadonlySet<string> = new Set([
  'message_start',
  'content_block_start',
  'content_block_delta',
  'content_block_stop',
  'message_delta',
  'message_stop',
  'ping',
  'error',
]);

const leadingType = /^\s*\{\s*"type"\s*:\s*"([a-z_]+)"/;

/** The event's type: its SSE name where that is one of Anthropic's, else what its JSON says. */
function typeOf(event: SseEvent): string | undefined {
  if (event.event !== undefined && names.has(event.event)) return event.event;
  const leading = leadingType.exec(event.data)?.[1];
  if (leading !== undefined) return leading;
  const type = parseObject(event.data)?.['type'];
  return typeof type === 'string' ? type : undefined;
}

// Quotes inside JSON strings are escaped, so these match members only, never the text of an answer.
const emptyContent = /"content"\s*:\s*\[\s*\]/;
const emptyDelta = /"(?:text|thinking|partial_json)"\s*:\s*""/;
const emptyStart = /"(?:text|thinking)"\s*:\s*""/;
const quietBlock = /"content_block"\s*:\s*\{\s*"type"\s*:\s*"(?:text|thinking)"/;

/** A block that opens with text or thinking, and with none of it yet. */
function isQuietStart(data: string): boolean {
  if (!data.includes('""') || !emptyStart.test(data)) return false;
  if (quietBlock.test(data)) return true;
  // The members may stand in another order; long starts are results of tools and need no look.
  const block = data.length > 400 ? undefined : parseObject(data)?.['content_block'];
  return isJsonObject(block) && (block['type'] === 'text' || block['type'] === 'thinking');
}

/** See `DialectCodec.classifyStreamEvent`. A block that opens without content counts with its first delta. */
export function classifyEvent(event: SseEvent): StreamEventClass {
  const { data } = event;
  switch (typeOf(event)) {
    case 'message_start':
      return emptyContent.test(data) || !data.includes('"content"') ? 'lifecycle' : 'content';
    case 'content_block_start':
      return isQuietStart(data) ? 'lifecycle' : 'content';
    case 'content_block_delta':
      return data.includes('""') && emptyDelta.test(data) ? 'lifecycle' : 'content';
    case 'content_block_stop':
    case 'message_delta':
    case 'ping':
      return 'lifecycle';
    case 'message_stop':
      return 'terminal';
    case 'error':
      return 'error';
    default:
      return event.data === '[DONE]' ? 'terminal' : 'content';
  }
}

/** See `DialectCodec.readStreamUsage`. `earlier` is the usage of the events before, which the split of cache writes needs. */
export function readEventUsage(event: SseEvent, earlier?: Usage): Usage | undefined {
  const type = typeOf(event);
  if ((type !== 'message_start' && type !== 'message_delta') || !event.data.includes('"usage"')) return undefined;
  const body = parseObject(event.data);
  const message = type === 'message_start' ? body?.['message'] : body;
  const usage = isJsonObject(message) ? message['usage'] : undefined;
  if (!isJsonObject(usage)) return undefined;
  // Without the earlier split a total would be counted on top of it; all of it in one bucket is right in sum.
  return takeUsage({ ...usage }, earlier ?? (type === 'message_delta' ? { cacheWrite1hTokens: 0 } : {}));
}
