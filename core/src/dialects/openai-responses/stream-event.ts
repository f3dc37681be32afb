import type { JsonObject } from '@bifrost/sdk';
import { GatewayError, isJsonObject } from '@bifrost/sdk';
import type { SseEvent } from '../../sse/event.ts';

/** The JSON of one stream event. Throws GatewayError `BF_DIALECT_STREAM_INVALID` when it is not an object. */
export function parseEvent(event: SseEvent): JsonObject {
  let json: unknown;
  try {
    json = JSON.parse(event.data);
  } catch (cause) {
    throw invalidEvent('is not JSON', event, cause);
  }
  if (!isJsonObject(json)) throw invalidEvent('is not a JSON object', event);
  return json;
}

function invalidEvent(what: string, event: SseEvent, cause?: unknown): GatewayError {
  const name = event.event === undefined ? '' : ` \`${event.event}\``;
  return new GatewayError(
    `the provider sent a stream event${name} whose data ${what}; expected an object with a \`type\``,
    {
      code: 'BF_DIALECT_STREAM_INVALID',
      statusCode: 502,
      origin: 'provider',
      cause,
    },
  );
}

/** What of the SSE framing does not follow from the event's `type`. */
export function sseForm(event: SseEvent, type: string | undefined): JsonObject {
  return {
    ...(event.event === type ? {} : { event: event.event ?? null }),
    ...(event.id === undefined ? {} : { id: event.id }),
  };
}
