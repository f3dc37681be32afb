/** The walks of LLM values: routing, attempt, outcome, stream event. */
import type { ConversationResponse, ErrorInfo, LLMOutcome, LLMRequest, StreamEvent } from '@bifrost/sdk';
import type { PostLLMOutcome, PreLLMOutcome, PreRequestOutcome } from './chain.ts';
import { assertConversation, assertErrorInfo, assertResponse, isEmptyError, withOrigin } from './check-conversation.ts';
import { arrayAt, HookResultError, objectAt, oneMember, onlyMembers, stringAt } from './check-value.ts';
import type { HookEntry } from './hook-entry.ts';
import type { HookPass } from './hook-pass.ts';

/** A request with its lesser views, made once for all hooks that read the same. */
class RequestViews {
  readonly whole: LLMRequest;
  #head: LLMRequest | undefined;
  #messages: LLMRequest | undefined;

  constructor(whole: LLMRequest) {
    this.whole = whole;
  }

  /** What a hook that reads `reads` may see; the request itself where it holds nothing more. */
  of(reads: HookEntry['reads']): LLMRequest {
    if (reads === 'body') return this.whole;
    if (reads === 'messages') return (this.#messages ??= withoutBody(this.whole));
    return (this.#head ??= withoutConversation(withoutBody(this.whole)));
  }
}

function withoutBody(request: LLMRequest): LLMRequest {
  if (request.body === undefined) return request;
  const { body: _body, ...rest } = request;
  return rest;
}

function withoutConversation(request: LLMRequest): LLMRequest {
  if (request.conversation === undefined) return request;
  const { conversation: _conversation, ...head } = request;
  return head;
}

const preRequestMembers = ['model', 'fallbacks', 'conversation'];

export class PreRequestPass implements HookPass {
  #request: RequestViews;
  #outcome: PreRequestOutcome | undefined;

  constructor(request: LLMRequest) {
    this.#request = new RequestViews(request);
  }

  get target(): LLMRequest {
    return this.#request.whole;
  }

  input(entry: HookEntry): LLMRequest {
    return this.#request.of(entry.reads);
  }

  accept(_entry: HookEntry, returned: unknown): boolean {
    const result = objectAt(returned, '');
    onlyMembers(result, preRequestMembers, '');
    const { model, fallbacks, conversation } = result;
    if (model !== undefined) assertModel(model, 'model');
    if (fallbacks !== undefined) assertModels(fallbacks);
    if (conversation !== undefined) assertConversation(conversation, this.#request.whole.conversation);
    const change = {
      ...(model === undefined ? {} : { model }),
      ...(fallbacks === undefined ? {} : { fallbacks }),
      ...(conversation === undefined ? {} : { conversation }),
    };
    this.#outcome = { ...this.#outcome, ...change };
    const { provider, ...rest } = this.#request.whole;
    // A new model may name another provider: only the gateway can tell.
    const isProviderKept = provider !== undefined && model === undefined;
    this.#request = new RequestViews({ ...rest, ...(isProviderKept ? { provider } : {}), ...change });
    return false;
  }

  deny(error: ErrorInfo): void {
    this.#outcome = { error };
  }

  outcome(): PreRequestOutcome | undefined {
    return this.#outcome;
  }
}

function assertModel(value: unknown, member: string): asserts value is string {
  stringAt(value, member);
  if (value === '') throw new HookResultError(member, 'a model, `provider/model` or a bare name', value);
}

function assertModels(value: unknown): asserts value is readonly string[] {
  for (const [index, model] of arrayAt(value, 'fallbacks').entries()) assertModel(model, `fallbacks[${index}]`);
}

const preLLMMembers = ['conversation', 'response', 'stream', 'error'];

export class PreLLMPass implements HookPass {
  #request: RequestViews;
  #outcome: PreLLMOutcome | undefined;
  readonly #wrapStream: (
    entry: HookEntry,
    stream: AsyncIterable<unknown> | Iterable<unknown>,
  ) => AsyncIterable<StreamEvent>;

  constructor(
    request: LLMRequest,
    wrapStream: (entry: HookEntry, stream: AsyncIterable<unknown> | Iterable<unknown>) => AsyncIterable<StreamEvent>,
  ) {
    this.#request = new RequestViews(request);
    this.#wrapStream = wrapStream;
  }

  get target(): LLMRequest {
    return this.#request.whole;
  }

  input(entry: HookEntry): LLMRequest {
    return this.#request.of(entry.reads);
  }

  accept(entry: HookEntry, returned: unknown): boolean {
    const result = objectAt(returned, '');
    onlyMembers(result, preLLMMembers, '');
    oneMember(result, preLLMMembers);
    const { conversation, response, stream, error } = result;
    if (conversation !== undefined) return this.#change(conversation);
    if (response !== undefined) {
      assertResponse(response, undefined);
      this.#outcome = { response };
    } else if (stream !== undefined) {
      assertIterable(stream);
      this.#outcome = { stream: this.#wrapStream(entry, stream) };
    } else if (error !== undefined) {
      assertErrorInfo(error, 'error');
      this.#outcome = { error: withOrigin(error) };
    } else return false;
    return true;
  }

  deny(error: ErrorInfo): void {
    this.#outcome = { error };
  }

  outcome(): PreLLMOutcome | undefined {
    return this.#outcome;
  }

  #change(conversation: unknown): false {
    const { whole } = this.#request;
    assertConversation(conversation, whole.conversation);
    this.#outcome = { conversation };
    this.#request = new RequestViews({ ...whole, conversation });
    return false;
  }
}

function assertIterable(value: unknown): asserts value is AsyncIterable<unknown> | Iterable<unknown> {
  const isIterable =
    typeof value === 'object' && value !== null && (Symbol.asyncIterator in value || Symbol.iterator in value);
  if (!isIterable) throw new HookResultError('stream', 'iterable (an array or a generator of stream events)', value);
}

const postLLMMembers = ['response', 'error'];

export class PostLLMPass implements HookPass {
  #outcome: LLMOutcome;
  #head: LLMOutcome | undefined;
  #isChanged = false;

  constructor(outcome: LLMOutcome) {
    this.#outcome = outcome;
  }

  get target(): LLMOutcome['request'] {
    return this.#outcome.request;
  }

  input(entry: HookEntry): LLMOutcome {
    if (entry.reads !== 'head' || this.#outcome.response === undefined) return this.#outcome;
    if (this.#head === undefined) {
      const { response: _response, ...head } = this.#outcome;
      this.#head = head;
    }
    return this.#head;
  }

  accept(_entry: HookEntry, returned: unknown): boolean {
    const result = objectAt(returned, '');
    onlyMembers(result, postLLMMembers, '');
    const { response } = result;
    const error = response !== undefined && isEmptyError(result['error']) ? undefined : result['error'];
    if (response === undefined && error === undefined) return false;
    if (response !== undefined) assertResponse(response, this.#outcome.response);
    if (error !== undefined) assertErrorInfo(error, 'error');
    const { response: _old, error: _oldError, ...head } = this.#outcome;
    if (error !== undefined) this.#outcome = { ...head, error: withOrigin(error), statusCode: error.statusCode };
    else this.#outcome = { ...head, ...toResponse(response), statusCode: this.#recoveredStatus() };
    this.#isChanged = true;
    this.#head = undefined;
    return false;
  }

  deny(error: ErrorInfo): void {
    const { request, latencyMs } = this.#outcome;
    this.#outcome = { request, latencyMs, error, statusCode: error.statusCode };
    this.#isChanged = true;
  }

  outcome(): PostLLMOutcome | undefined {
    if (!this.#isChanged) return undefined;
    const { response, error } = this.#outcome;
    return error === undefined ? toResponse(response) : { error };
  }

  #recoveredStatus(): number {
    return this.#outcome.error === undefined ? this.#outcome.statusCode : 200;
  }
}

function toResponse(response: ConversationResponse | undefined): { readonly response?: ConversationResponse } {
  return response === undefined ? {} : { response };
}
