import type { Candidate, ConversationResponse, MediaPart, Part, StreamEvent, StreamFrame } from '@bifrost/sdk';

/** The optional members of a value that are set. */
function present<Value extends object, Name extends keyof Value>(
  value: Value,
  ...names: readonly Name[]
): { readonly [Key in Name]?: Exclude<Value[Key], undefined> } {
  const picked: { [Key in Name]?: Exclude<Value[Key], undefined> } = {};
  for (const name of names) {
    const member = value[name];
    if (member !== undefined) picked[name] = member as Exclude<Value[Name], undefined>;
  }
  return picked;
}

interface Place {
  readonly part: string;
  readonly candidate?: number;
}

function mediaEvent(part: MediaPart, place: Place): StreamEvent {
  const { source, kind } = part;
  const fields = present(part, 'mediaType', 'filename', 'signature');
  if (source.type === 'base64') return { type: 'media-delta', ...place, kind, ...fields, data: source.data };
  return { type: 'media-delta', ...place, kind, ...fields, data: '', source };
}

function partEvents(part: Part, place: Place): readonly StreamEvent[] {
  switch (part.type) {
    case 'text':
      return [
        { type: 'text-start', ...place },
        ...(part.text === '' && part.logprobs === undefined
          ? []
          : [{ type: 'text-delta', ...place, text: part.text, ...present(part, 'logprobs') } as const]),
        ...(part.citations ?? []).map((citation) => ({ type: 'citation', ...place, citation }) as const),
        { type: 'text-end', ...place, ...present(part, 'signature') },
      ];
    case 'refusal':
      return [
        { type: 'refusal-start', ...place },
        { type: 'refusal-delta', ...place, text: part.text },
        { type: 'refusal-end', ...place },
      ];
    case 'reasoning':
      return [
        { type: 'reasoning-start', ...place, ...present(part, 'id', 'isSummary') },
        ...(part.text === '' ? [] : [{ type: 'reasoning-delta', ...place, text: part.text } as const]),
        { type: 'reasoning-end', ...place, ...present(part, 'signature', 'encrypted', 'origin') },
      ];
    case 'tool-call':
      return [
        { type: 'tool-call-start', ...place, id: part.id, name: part.name, ...present(part, 'isFreeform') },
        ...(part.arguments === ''
          ? []
          : [{ type: 'tool-call-delta', ...place, argumentsDelta: part.arguments } as const]),
        { type: 'tool-call-end', ...place, ...present(part, 'signature') },
      ];
    case 'media':
      return [mediaEvent(part, place)];
    case 'server-tool':
    case 'opaque':
      return [{ ...part, ...(place.candidate === undefined ? {} : { candidate: place.candidate }) }];
    case 'tool-result':
      return []; // the caller's own turn: no answer holds one
  }
}

function candidateFrames(candidate: Candidate): readonly StreamFrame[] {
  const { index, finishReason } = candidate;
  const at = index === 0 ? {} : { candidate: index };
  const frames: StreamFrame[] = candidate.parts.map((part, position) => ({
    events: partEvents(part, { part: `${index}.${position}`, ...at }),
  }));
  if (finishReason !== undefined) frames.push({ events: [{ type: 'finish', ...at, reason: finishReason }] });
  return frames.filter((frame) => frame.events.length > 0);
}

/**
 * A whole answer as a stream: what `ResponseAccumulator` folds back into the same answer (canonical fields; residue stays
 * behind, and a candidate that has neither parts nor a finish reason does not exist in a stream). Usage comes before the last
 * finish reason, where every dialect can still write it.
 */
export function framesOf(response: ConversationResponse): StreamFrame[] {
  const start = { type: 'response-start', ...present(response, 'id', 'model', 'createdAt') } as const;
  const frames: StreamFrame[] = [{ events: [start] }, ...response.candidates.flatMap(candidateFrames)];
  if (response.usage === undefined) return frames;
  const usage = { type: 'usage', usage: response.usage } as const;
  const last = frames.at(-1);
  if (last?.events[0]?.type !== 'finish') return [...frames, { events: [usage] }];
  return [...frames.slice(0, -1), { events: [usage, ...last.events] }];
}
