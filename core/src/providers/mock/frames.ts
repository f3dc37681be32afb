import type { ConversationResponse, StreamEvent, StreamFrame } from '@bifrost/sdk';
import { framesOf } from '../../conversation/response-frames.ts';

/** Splits before each word, so that a stream has as many deltas as the answer has words. */
const words = /(?<=\s)(?=\S)/;

/** The mock's answer as a stream: text word by word, tool arguments in two pieces. */
export function* mockFrames(response: ConversationResponse): Generator<StreamFrame> {
  for (const frame of framesOf(response)) {
    for (const event of frame.events) {
      for (const piece of pieces(event)) yield { events: [piece] };
    }
  }
}

function pieces(event: StreamEvent): readonly StreamEvent[] {
  if (event.type === 'text-delta') return event.text.split(words).map((text) => ({ ...event, text }));
  if (event.type === 'tool-call-delta') {
    const half = Math.ceil(event.argumentsDelta.length / 2);
    return [event.argumentsDelta.slice(0, half), event.argumentsDelta.slice(half)]
      .filter((text) => text !== '')
      .map((argumentsDelta) => ({ ...event, argumentsDelta }));
  }
  return [event];
}
