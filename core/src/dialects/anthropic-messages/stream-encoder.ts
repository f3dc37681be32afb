/**
 * Frames to Anthropic's stream. Frames that this dialect's decoder made and nobody changed become the very same events; all
 * others are generated. Both go through one writer, so that indexes and order stay legal when the two mix.
 *
 * Anthropic has one open block at a time; other dialects interleave. A text or thinking block is closed as soon as another part
 * begins (its rest, if any, opens a new block); a tool call is closed when its arguments are complete JSON, and whatever comes
 * before that is held back in order. So arguments stream as they arrive, and nothing is held longer than it must be.
 */
import type { ErrorInfo, FinishReason, StreamEvent, StreamFrame, Usage } from '@bifrost/sdk';
import type { SseEvent } from '../../sse/event.ts';
import type { EncodeOptions, StreamEncoder } from '../codec.ts';
import { BlockSequencer } from './block-sequencer.ts';
import { encodeErrorBody } from './errors.ts';
import { encodeForeignStopReason, refusalLoss } from './finish.ts';
import { isOwn, residueField } from './residue.ts';
import { rebuildEvent } from './stream-rebuild.ts';
import { StreamWriter } from './stream-writer.ts';

export class AnthropicStreamEncoder implements StreamEncoder {
  readonly #options: EncodeOptions;
  readonly #writer = new StreamWriter();
  readonly #blocks: BlockSequencer;
  #head: { readonly id?: string; readonly model?: string } = {};
  #usage: Usage | undefined;
  #finish: FinishReason | undefined;
  #hasFailed = false;
  readonly #otherCandidates = new Set<number>();

  constructor(options: EncodeOptions) {
    this.#options = options;
    this.#blocks = new BlockSequencer(this.#writer, options.report, () => this.#start());
  }

  push(frame: StreamFrame): readonly SseEvent[] {
    if (this.#hasFailed) return [];
    if (isOwn(frame)) this.#pushOwn(frame);
    else this.#generate(frame);
    return this.#writer.take();
  }

  finish(): readonly SseEvent[] {
    if (this.#hasFailed || !this.#writer.isStarted || this.#writer.isStopped) return [];
    this.#end();
    this.#writer.stop();
    return this.#writer.take();
  }

  fail(error: ErrorInfo): readonly SseEvent[] {
    if (this.#hasFailed) return [];
    this.#fail(error);
    return this.#writer.take();
  }

  #fail(error: ErrorInfo): void {
    this.#hasFailed = true;
    const body = encodeErrorBody(error);
    this.#writer.write({ ...body, type: 'error' });
  }

  #start(): void {
    const { request, fallbackId } = this.#options;
    const id = this.#head.id ?? fallbackId ?? '';
    this.#writer.start({ id, model: this.#head.model ?? request?.model ?? '' }, this.#usage);
  }

  #end(): void {
    this.#blocks.closeAll();
    const word = encodeForeignStopReason(this.#stopReason(), this.#blocks.hasToolCall);
    this.#writer.messageDelta({ word, sequence: this.#finish?.stopSequence }, this.#usage);
  }

  #stopReason(): FinishReason | undefined {
    const isStop = this.#finish === undefined || this.#finish.kind === 'stop';
    if (!isStop || !this.#blocks.hasRefusal) return this.#finish;
    this.#options.report.add(refusalLoss);
    return { kind: 'refusal' };
  }

  #generate(frame: StreamFrame): void {
    if (this.#writer.isStopped) return;
    this.#blocks.announce(frame.events);
    for (const event of frame.events) if (event.type === 'usage') this.#usage = { ...this.#usage, ...event.usage };
    for (const event of frame.events) {
      if (this.#hasFailed) return;
      this.#event(event);
    }
  }

  #event(event: StreamEvent): void {
    if ('candidate' in event && (event.candidate ?? 0) > 0) {
      const index = event.candidate ?? 0;
      if (this.#otherCandidates.has(index)) return;
      this.#otherCandidates.add(index);
      const reason = 'Anthropic gives one answer';
      return this.#options.report.add({ action: 'dropped', field: `choices[${index}]`, reason });
    }
    switch (event.type) {
      case 'response-start':
        this.#head = { ...this.#head, ...event };
        return this.#start();
      case 'usage':
        return; // collected before, for a message_start in the same frame
      case 'finish':
        this.#finish = event.reason;
        return;
      case 'error':
        return this.#fail(event.error);
      default:
        this.#start();
        return this.#blocks.push(event);
    }
  }

  #pushOwn(frame: StreamFrame): void {
    const { body, name } = rebuildEvent(frame);
    const index = residueField(frame.residue, 'index');
    for (const event of frame.events) if (event.type === 'usage') this.#usage = { ...this.#usage, ...event.usage };
    switch (body['type']) {
      case 'message_start':
        if (this.#writer.isStopped) this.#usage = frame.events.find((event) => event.type === 'usage')?.usage;
        return this.#writer.startOwn(body, name);
      case 'content_block_start':
        this.#start();
        return this.#blocks.openOwn(frame, { body, name, index });
      case 'content_block_delta':
        return this.#blocks.ownDelta(frame, { body, name, index });
      case 'content_block_stop':
        return this.#blocks.closeOwn({ body, name, index });
      case 'message_delta':
        this.#start();
        this.#blocks.closeAll();
        return this.#writer.ownMessageDelta(body, name);
      case 'message_stop':
        this.#start();
        if (this.#finish === undefined) this.#blocks.closeAll();
        else this.#end();
        return this.#writer.stop(body, name);
      case 'error':
        this.#hasFailed = true;
        return this.#writer.write(body, name);
      default:
        return this.#writer.write(body, name);
    }
  }
}
