import { parseExactly, RoundingWatch } from '../json/exact-numbers.ts';
import { GatewayError, isJsonObject } from '@bifrost/sdk';
import type { ConversationResponse, JsonObject } from '@bifrost/sdk';
import { framesOf } from '../conversation/response-frames.ts';
import type { UpstreamHeaders } from '../upstream/call.ts';
import type { Attempt } from './attempt.ts';
import { answerHeaders, commitAnswer } from './commit-answer.ts';
import { ClientStream } from './client-stream.ts';
import { createClientEncoder, encodeAnswer } from './encode-response.ts';
import { ErrorRelay } from './error-relay.ts';
import { tellOutcome } from './post-llm.ts';
import { rawPayloads } from './raw-payloads.ts';
import type { Relay } from './relay.ts';
import { toErrorInfo } from './respond-error.ts';
import { respondWhole } from './respond-whole.ts';
import { translateOther } from './other-operations.ts';
import { WholeTail } from './usage-tail.ts';
import type { UsageTail } from './usage-tail.ts';
import { WholeUsage } from './whole-usage.ts';
import { saysFailure } from './failed-answer.ts';

/** Most bytes of a whole answer that is held, after decompression. What passes through unread has no limit. */
export const maxAnswerBytes = 64 * 1024 * 1024;

/** Holds a whole answer, because it is translated or a plugin reads it. One above the limit fails the attempt. */
export class BufferedWhole implements Relay {
  readonly #attempt: Attempt;
  readonly #statusCode: number;
  readonly #headers: UpstreamHeaders;
  #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(attempt: Attempt, statusCode: number, headers: UpstreamHeaders) {
    this.#attempt = attempt;
    this.#statusCode = statusCode;
    this.#headers = headers;
  }

  push(chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes <= maxAnswerBytes) this.#chunks.push(chunk);
    else if (this.#bytes - chunk.length <= maxAnswerBytes) {
      this.#chunks = [];
      this.#attempt.failed(oversized().toInfo());
    }
  }

  end(): void {
    if (this.#bytes > maxAnswerBytes) return;
    const body = Buffer.concat(this.#chunks);
    this.#chunks = [];
    if (saysFailure(this.#attempt.plan.codec.name, body)) {
      const error = new ErrorRelay(this.#attempt, this.#statusCode, this.#headers);
      error.push(body);
      error.end();
      return;
    }
    this.#answer(body).catch((error: unknown) => this.#attempt.failed(toErrorInfo(error)));
  }

  detach(): UsageTail {
    const begun = this.#chunks;
    this.#chunks = [];
    return new WholeTail(new WholeUsage(this.#attempt.plan.codec), begun);
  }

  fail(error: GatewayError): void {
    this.#attempt.failed(error.toInfo());
  }

  async #answer(body: Buffer): Promise<void> {
    const { plan, run } = this.#attempt;
    const { operation } = run.request.route;
    let outgoing = body;
    const watch = new RoundingWatch();
    if (operation !== 'conversation') {
      if (plan.lane === 'translated') {
        const translated = translateOther(run, plan.surface, parseAnswer(body), plan.losses);
        outgoing = Buffer.from(JSON.stringify(translated));
      }
    } else {
      const needs = run.needs.postLLM;
      const isDecoded = plan.lane === 'translated' || (needs ?? 'head') !== 'head';
      let response = isDecoded ? plan.codec.decodeResponse(parseAnswer(body)) : undefined;
      run.usage = response?.usage;
      const change = needs === undefined ? undefined : await this.#hook(response);
      if (change?.error !== undefined) {
        this.#attempt.failed(change.error);
        return;
      }
      if (change?.response !== undefined) response = change.response;
      if (response !== undefined && (plan.lane === 'translated' || change?.response !== undefined)) {
        if (run.isStream) {
          this.#stream(response);
          return;
        }
        outgoing = Buffer.from(watch.stringify(encodeAnswer(run, response, plan.losses, this.#raw(body))));
      }
    }
    this.#attempt.noteContent();
    await respondWhole(run, this.#statusCode, answerHeaders(this.#attempt, this.#headers), outgoing);
    this.#attempt.answered();
  }

  #raw(body: Buffer): JsonObject {
    return this.#attempt.run.request.route.isDropIn ? {} : rawPayloads(this.#attempt, body);
  }

  #hook(response: ConversationResponse | undefined) {
    const { run, startedAt } = this.#attempt;
    return tellOutcome(run, { statusCode: this.#statusCode, startedAt, response });
  }

  /** The client wants a stream, the provider answered whole: the stream is made of it. */
  #stream(response: ConversationResponse): void {
    const { plan, run } = this.#attempt;
    const stream = new ClientStream(run, {
      encoder: () => createClientEncoder(run, plan.losses),
      losses: plan.losses,
      startedAt: this.#attempt.startedAt,
      onEnded: () => this.#attempt.answered(),
    });
    this.#attempt.noteContent();
    commitAnswer(this.#attempt, 200, {});
    stream.open();
    stream.pushFrames(framesOf(response));
    stream.end();
  }
}

function oversized(): GatewayError {
  const limit = `${maxAnswerBytes / 1024 / 1024} MiB`;
  return new GatewayError(
    `the provider's answer is larger than ${limit}, the most that is held to translate it or to show it to a plugin; ask for a shorter answer or a stream`,
    { code: 'BF_UPSTREAM_ANSWER_TOO_LARGE', statusCode: 502 },
  );
}

function parseAnswer(body: Buffer) {
  let parsed: unknown;
  try {
    parsed = parseExactly(body.toString('utf8'));
  } catch (cause) {
    throw new GatewayError('the provider answered with something that is not JSON', {
      code: 'BF_UPSTREAM_ANSWER_INVALID',
      statusCode: 502,
      cause,
    });
  }
  if (isJsonObject(parsed)) return parsed;
  throw new GatewayError('the provider answered with JSON that is not an object', {
    code: 'BF_UPSTREAM_ANSWER_INVALID',
    statusCode: 502,
  });
}
