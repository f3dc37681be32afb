/**
 * Keeps the hook calls of chosen requests in an encrypted file. A call is put into a list and nothing else; lines are made and written in batches later. Bounded in requests, bytes, time and in what may wait for the disk.
 */
import { once } from 'node:events';
import { createWriteStream, mkdirSync } from 'node:fs';
import type { WriteStream } from 'node:fs';
import { join } from 'node:path';
import type { CallRecorder, RecordedCall } from '@bifrost/core';
import { messageOf } from '@bifrost/core/plugins';
import type { RequestFacts } from '@bifrost/sdk';
import { createHeader, encodeCall, encodeHeader, sealFrame } from './capture-format.ts';
import type { CaptureEnd } from './capture-format.ts';
import type { RecordedLine } from './recording-order.ts';

export interface CaptureOptions {
  /** Calls of this plugin are kept, no others. */
  readonly plugin: string;
  /** Where the file is written. */
  readonly directory: string;
  readonly key: Uint8Array;
  /** @default 100 */
  readonly maxRequests?: number;
  /** Of the file. @default 67108864 */
  readonly maxBytes?: number;
  /** How long requests are taken, in milliseconds. @default 60000 */
  readonly maxMs?: number;
  /** Which requests; all that come while it records, where this is absent. Must not throw. */
  readonly isWanted?: (facts: RequestFacts) => boolean;
  /** Tells files of several threads apart. */
  readonly suffix?: string;
}

export interface CaptureSummary extends CaptureEnd {
  readonly file: string;
  readonly bytes: number;
  /** Why it ended before its bounds, where it did. */
  readonly failure?: string;
}

/** Calls that may wait for the disk; a stream has some thousand. */
const maxWaiting = 10_000;
const batchCalls = 200;
const flushMs = 50;

export class CaptureRecorder implements CallRecorder {
  readonly file: string;
  readonly #options: Required<Omit<CaptureOptions, 'isWanted' | 'suffix'>> & Pick<CaptureOptions, 'isWanted'>;
  readonly #headerLine: Buffer;
  readonly #stream: WriteStream;
  readonly #endsAt: number;
  readonly #requests = new Set<string>();
  /** Calls, and lines that were made elsewhere. */
  #waiting: (RecordedCall | string)[] = [];
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #frame = 0;
  #bytes = 0;
  #calls = 0;
  #leftOut = 0;
  #isClosed = false;
  #failure: string | undefined;
  #closing: Promise<CaptureSummary> | undefined;

  /** Opens the file. Throws where its folder cannot be made. */
  constructor(options: CaptureOptions) {
    this.#options = { maxRequests: 100, maxBytes: 67_108_864, maxMs: 60_000, ...options };
    const now = new Date();
    const header = createHeader(options.plugin, now);
    mkdirSync(options.directory, { recursive: true, mode: 0o700 });
    const stamp = now.toISOString().replaceAll(/[-:]|\.\d+/g, '');
    const suffix = options.suffix === undefined ? '' : `-${options.suffix}`;
    this.file = join(options.directory, `${options.plugin}-${stamp}-${header.id.slice(0, 8)}${suffix}.bfcap`);
    this.#headerLine = encodeHeader(header);
    this.#endsAt = performance.now() + this.#options.maxMs;
    this.#stream = createWriteStream(this.file, { mode: 0o600, flags: 'wx' });
    this.#stream.on('error', (error) => this.#fail(error));
    this.#stream.write(this.#headerLine);
    this.#bytes = this.#headerLine.length;
  }

  /** True as long as more requests are taken. */
  get isRecording(): boolean {
    const { maxRequests, maxBytes } = this.#options;
    return (
      !this.#isClosed &&
      this.#failure === undefined &&
      this.#requests.size < maxRequests &&
      this.#bytes < maxBytes &&
      performance.now() < this.#endsAt
    );
  }

  wants(facts: RequestFacts): boolean {
    if (!this.isRecording || this.#options.isWanted?.(facts) === false) return false;
    this.#requests.add(facts.requestId);
    return true;
  }

  record(call: RecordedCall): void {
    if (call.plugin !== this.#options.plugin || !this.#requests.has(call.facts.requestId)) return;
    const isFull = this.#waiting.length >= maxWaiting || this.#bytes >= this.#options.maxBytes;
    if (this.#isClosed || isFull || this.#failure !== undefined) {
      this.#leftOut += 1;
      return;
    }
    this.#waiting.push(call);
    this.#timer ??= setTimeout(() => this.#flush(), flushMs).unref();
  }

  /** How far it has come. */
  get progress(): { readonly requests: number; readonly calls: number; readonly bytes: number } {
    return { requests: this.#requests.size, calls: this.#calls, bytes: this.#bytes };
  }

  /** Takes calls that were made lines elsewhere, where `leftOut` more were not. Resolves when they are written. Never rejects. */
  async take(lines: readonly RecordedLine[], leftOut: number): Promise<void> {
    this.#leftOut += leftOut;
    for (const { requestId, line } of lines) {
      if (!this.#requests.has(requestId) && this.isRecording) this.#requests.add(requestId);
      if (this.#requests.has(requestId) && !this.#isClosed && this.#failure === undefined) this.#waiting.push(line);
      else this.#leftOut += 1;
    }
    this.#flush();
    await this.#writing;
  }

  /** Writes what waits and closes the file. Never rejects. */
  close(): Promise<CaptureSummary> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<CaptureSummary> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#flush();
    await this.#writing;
    const end: CaptureEnd = { calls: this.#calls, requests: this.#requests.size, leftOut: this.#leftOut };
    if (this.#failure === undefined) {
      await this.#write(JSON.stringify({ end }));
      this.#stream.end();
      if (!this.#stream.closed) await once(this.#stream, 'close').catch((error: unknown) => this.#fail(error));
    }
    const { file } = this;
    const failure = this.#failure;
    return { ...end, file, bytes: this.#bytes, ...(failure === undefined ? {} : { failure }) };
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const calls = this.#waiting;
    this.#waiting = [];
    this.#writing = this.#writing.then(() => this.#writeCalls(calls));
  }

  /** A batch at a time, with a turn of the loop between two: requests go on meanwhile. */
  async #writeCalls(calls: readonly (RecordedCall | string)[]): Promise<void> {
    for (let at = 0; at < calls.length; at += batchCalls) {
      const lines: string[] = [];
      let room = this.#options.maxBytes - this.#bytes;
      for (const call of calls.slice(at, at + batchCalls)) {
        const line = typeof call === 'string' ? call : this.#lineOf(call);
        const bytes = line === undefined ? 0 : Buffer.byteLength(line) + 1;
        if (line === undefined || bytes > room) this.#leftOut += 1;
        else {
          room -= bytes;
          lines.push(line);
        }
      }
      if (lines.length > 0) await this.#write(lines.join('\n'));
      this.#calls += lines.length;
      await new Promise<void>((resolve) => void setImmediate(resolve));
    }
  }

  #lineOf(call: RecordedCall): string | undefined {
    try {
      return encodeCall(call);
    } catch {
      // A returned value with a cycle or a bigint: no JSON. It is counted as left out.
      return undefined;
    }
  }

  async #write(text: string): Promise<void> {
    if (this.#failure !== undefined) return;
    const frame = sealFrame(this.#options.key, this.#headerLine, this.#frame, text);
    this.#frame += 1;
    this.#bytes += frame.length;
    await new Promise<void>((resolve) => {
      this.#stream.write(frame, (error) => {
        if (error !== null && error !== undefined) this.#fail(error);
        resolve();
      });
    });
  }

  #fail(error: unknown): void {
    this.#failure ??= messageOf(error);
  }
}
