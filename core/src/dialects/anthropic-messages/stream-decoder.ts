/**
 * Anthropic's stream to frames, one frame per wire event. Blocks of the canonical kinds become part events; blocks that only
 * Anthropic knows are assembled and handed out whole at their end. Residue keeps what each event said beyond that.
 *
 * Two oddities of the wire, both recorded: `message_start` may come with content and a stop reason already (programmatic tool
 * calling), and a body may hold several messages one after another (recorders join them); parts stay distinct throughout.
 */
import { GatewayError } from '@bifrost/sdk';
import type { Json, JsonObject, Residue, StreamEvent, StreamFrame, Usage } from '@bifrost/sdk';
import { framesOf } from '../../conversation/response-frames.ts';
import type { SseEvent } from '../../sse/event.ts';
import type { StreamDecoder } from '../codec.ts';
import { decodeBlock } from './blocks.ts';
import { decodeErrorBody } from './errors.ts';
import { parseObject, present, putBack, takeArray, takeObject } from './fields.ts';
import type { Fields } from './fields.ts';
import { decodeStopReason } from './finish.ts';
import { dialect, toResidue } from './residue.ts';
import { takeMessageHead } from './response.ts';
import { StreamBlock } from './stream-block.ts';
import { takeUsage } from './usage.ts';

function invalid(message: string): GatewayError {
  return new GatewayError(message, { code: 'BF_DIALECT_STREAM_INVALID', statusCode: 502, origin: 'provider' });
}

/** What is left of a message's blocks once their canonical members are events. */
function contentRemainder(blocks: readonly Json[]): readonly Json[] {
  return blocks.map((block): JsonObject => {
    const part = decodeBlock(block);
    const residue = 'residue' in part ? part.residue : undefined;
    return { ...residue?.fields, ...residue?.form };
  });
}

export class AnthropicStreamDecoder implements StreamDecoder {
  readonly #blocks = new Map<Json | undefined, StreamBlock>();
  #messageCount = 0;
  #usage: Usage = {};
  #isComplete = false;
  #hasFailed = false;

  push(event: SseEvent): readonly StreamFrame[] {
    if (event.data === '[DONE]') return []; // some compatible endpoints send OpenAI's marker too
    const body = parseObject(event.data);
    if (body === undefined) {
      throw invalid(`the provider sent a stream event whose data is no JSON object (${event.data.length} characters)`);
    }
    const rest: Fields = { ...body };
    const type = body['type'] ?? event.event;
    const form: Record<string, Json> = event.event === type ? {} : { event: event.event ?? null };
    const { index } = rest;
    const isOpen = this.#isRaw(index);
    const events = this.#events(type, rest, form);
    const residue: Residue = toResidue(rest, form) ?? { dialect, fields: {} };
    const isStillOpen = this.#isRaw(index);
    if (!isOpen && !isStillOpen) return [{ events, residue }];
    return [{ events, residue, whole: { key: JSON.stringify(index), isEnd: !isStillOpen } }];
  }

  finish(): readonly StreamFrame[] {
    if (this.#hasFailed) return [];
    const events = [...this.#blocks.values()].flatMap((block) => block.end());
    this.#blocks.clear();
    if (!this.#isComplete) {
      const error = {
        statusCode: 502,
        code: 'BF_STREAM_TRUNCATED',
        type: 'api_error',
        message: "the provider's stream ended before message_stop",
        origin: 'provider',
      } as const;
      events.push({ type: 'error', error });
    }
    return events.length === 0 ? [] : [{ events }];
  }

  /** Whether a block is open there that is handed out whole at its end. */
  #isRaw(index: Json | undefined): boolean {
    return index !== undefined && this.#blocks.get(index)?.isRaw === true;
  }

  #events(type: Json | undefined, rest: Fields, form: Record<string, Json>): StreamEvent[] {
    switch (type) {
      case 'message_start':
        return this.#messageStart(rest);
      case 'content_block_start': {
        const { index } = rest;
        const block = new StreamBlock(`${this.#messageCount}.${JSON.stringify(index)}`);
        this.#blocks.set(index, block);
        return block.start(rest);
      }
      case 'content_block_delta':
        return this.#blocks.get(rest['index'])?.delta(rest) ?? [];
      case 'content_block_stop': {
        const block = this.#blocks.get(rest['index']);
        this.#blocks.delete(rest['index']);
        return block?.end() ?? [];
      }
      case 'message_delta':
        return this.#messageDelta(rest, form);
      case 'message_stop':
        this.#isComplete = true;
        return [];
      case 'error':
        this.#hasFailed = true;
        return [{ type: 'error', error: decodeErrorBody(200, rest) }];
      default:
        return []; // ping, and events of tomorrow: for this dialect's encoder only
    }
  }

  #messageStart(rest: Fields): StreamEvent[] {
    this.#messageCount += 1;
    this.#isComplete = false;
    this.#blocks.clear();
    const message = takeObject(rest, 'message');
    if (message === undefined) throw invalid('the provider sent a message_start event without a message');
    const { id, model, usage, finishReason } = takeMessageHead(message);
    this.#usage = usage ?? {};
    const events: StreamEvent[] = [present({ type: 'response-start', id, model } as const)];
    const content = takeArray(message, 'content') ?? [];
    if (content.length > 0) {
      message['content'] = contentRemainder(content);
      events.push(...this.#contentEvents(content));
    }
    if (usage !== undefined) events.push({ type: 'usage', usage });
    if (finishReason !== undefined) {
      this.#isComplete = true;
      events.push({ type: 'finish', reason: finishReason });
    }
    putBack(rest, 'message', message);
    return events;
  }

  #contentEvents(content: readonly Json[]): StreamEvent[] {
    const frames = framesOf({ candidates: [{ index: 0, parts: content.map(decodeBlock) }] });
    return frames
      .flatMap((frame) => frame.events)
      .filter((event) => event.type !== 'response-start')
      .map((event) => ('part' in event ? { ...event, part: `${this.#messageCount}.start.${event.part}` } : event));
  }

  #messageDelta(rest: Fields, form: Record<string, Json>): StreamEvent[] {
    const events: StreamEvent[] = [];
    const usageFields = takeObject(rest, 'usage');
    if (usageFields !== undefined) {
      const hasSplit = usageFields['cache_creation'] !== undefined;
      const usage = takeUsage(usageFields, this.#usage);
      putBack(rest, 'usage', usageFields);
      if (!hasSplit && usage.cacheWrite1hTokens !== undefined) form['cacheSplit'] = 'earlier';
      this.#usage = { ...this.#usage, ...usage };
      events.push({ type: 'usage', usage });
    }
    const delta = takeObject(rest, 'delta') ?? {};
    const reason = decodeStopReason(delta['stop_reason'], delta['stop_sequence']);
    if (reason !== undefined) {
      this.#isComplete = true;
      delete delta['stop_reason'];
      if (reason.stopSequence !== undefined) delete delta['stop_sequence'];
      events.push({ type: 'finish', reason });
    }
    putBack(rest, 'delta', delta);
    return events;
  }
}
