/** A state machine that knows in which order the events of an Anthropic stream may come. For tests. */
import { isJsonObject } from '@bifrost/sdk';
import type { Json, JsonObject } from '@bifrost/sdk';
import type { SseEvent } from '../../../sse/event.ts';

const deltasOfBlock: Readonly<Record<string, readonly string[]>> = {
  text: ['text_delta', 'citations_delta'],
  thinking: ['thinking_delta', 'signature_delta'],
  redacted_thinking: [],
  tool_use: ['input_json_delta'],
  server_tool_use: ['input_json_delta'],
  mcp_tool_use: ['input_json_delta'],
  compaction: ['compaction_delta'],
};

class Checker {
  #isStarted = false;
  #isPrefilled = false;
  #hasDelta = false;
  #isOver = false;
  #open: { readonly index: number; readonly type: string; isSigned: boolean } | undefined;
  #next = 0;

  /** What is wrong with the next event, if anything. */
  accept(event: SseEvent): string | undefined {
    const body = JSON.parse(event.data) as Json;
    if (!isJsonObject(body)) return 'data is no object';
    if (event.event !== body['type']) return `the name is ${event.event}, the type ${JSON.stringify(body['type'])}`;
    if (this.#isOver) return 'an event after the end';
    if (event.event === 'ping') return undefined;
    if (event.event === 'error') return this.#error(body);
    if (event.event === 'message_start') return this.#start(body);
    if (!this.#isStarted) return 'no message_start before';
    switch (event.event) {
      case 'content_block_start':
        return this.#blockStart(body);
      case 'content_block_delta':
        return this.#blockDelta(body);
      case 'content_block_stop':
        return this.#blockStop(body);
      case 'message_delta':
        return this.#delta(body);
      case 'message_stop':
        return this.#stop();
      default:
        return 'an unknown event';
    }
  }

  /** What is missing at the end of the stream, if anything. */
  end(): string | undefined {
    return this.#isOver ? undefined : 'no message_stop';
  }

  #error(body: JsonObject): string | undefined {
    this.#isOver = true;
    const error = body['error'];
    const isWhole = isJsonObject(error) && typeof error['type'] === 'string' && typeof error['message'] === 'string';
    return isWhole ? undefined : 'an error without type and message';
  }

  #start(body: JsonObject): string | undefined {
    if (this.#isStarted) return 'a second message_start';
    this.#isStarted = true;
    const message = body['message'];
    if (!isJsonObject(message)) return 'message_start without a message';
    if (message['type'] !== 'message' || message['role'] !== 'assistant')
      return 'message_start is no assistant message';
    if (typeof message['id'] !== 'string' || typeof message['model'] !== 'string') return 'no id or model';
    if (!Array.isArray(message['content'])) return 'no content list';
    const usage = message['usage'];
    if (!isJsonObject(usage)) return 'message_start without usage';
    if (typeof usage['input_tokens'] !== 'number' || typeof usage['output_tokens'] !== 'number')
      return 'usage without counts';
    this.#isPrefilled = typeof message['stop_reason'] === 'string';
    return undefined;
  }

  #blockStart(body: JsonObject): string | undefined {
    const { index, content_block: block } = body;
    if (this.#open !== undefined) return `a block starts while block ${this.#open.index} is open`;
    if (this.#hasDelta) return 'a block after message_delta';
    if (index !== this.#next) return `index ${JSON.stringify(index)} where ${this.#next} is due`;
    if (!isJsonObject(block) || typeof block['type'] !== 'string') return 'a block without a type';
    this.#next += 1;
    this.#open = { index, type: block['type'], isSigned: false };
    return undefined;
  }

  #blockDelta(body: JsonObject): string | undefined {
    const { index, delta } = body;
    if (this.#open === undefined || index !== this.#open.index)
      return `a delta for block ${JSON.stringify(index)}, which is not open`;
    if (!isJsonObject(delta) || typeof delta['type'] !== 'string') return 'a delta without a type';
    const allowed = deltasOfBlock[this.#open.type] ?? [];
    if (!allowed.includes(delta['type'])) return `${delta['type']} in a ${this.#open.type} block`;
    if (this.#open.isSigned) return 'a delta after the signature';
    this.#open.isSigned = delta['type'] === 'signature_delta';
    return undefined;
  }

  #blockStop(body: JsonObject): string | undefined {
    if (this.#open?.index !== body['index']) return `block ${JSON.stringify(body['index'])} is not open`;
    this.#open = undefined;
    return undefined;
  }

  #delta(body: JsonObject): string | undefined {
    if (this.#open !== undefined) return `message_delta while block ${this.#open.index} is open`;
    if (this.#hasDelta) return 'a second message_delta';
    this.#hasDelta = true;
    const { delta, usage } = body;
    if (!isJsonObject(delta) || typeof delta['stop_reason'] !== 'string') return 'message_delta without a stop reason';
    if (!isJsonObject(usage) || typeof usage['output_tokens'] !== 'number') return 'message_delta without usage';
    return undefined;
  }

  #stop(): string | undefined {
    if (this.#open !== undefined) return `message_stop while block ${this.#open.index} is open`;
    if (!this.#hasDelta && !this.#isPrefilled) return 'message_stop without message_delta';
    this.#isOver = true;
    return undefined;
  }
}

/** The first thing that is wrong with a stream of one message, with the number of its event; undefined for a legal one. */
export function checkAnthropicStream(events: readonly SseEvent[]): string | undefined {
  const checker = new Checker();
  for (const [index, event] of events.entries()) {
    const fault = checker.accept(event);
    if (fault !== undefined) return `event ${index} (${event.event}): ${fault}`;
  }
  return checker.end();
}
