import type { Usage } from '@bifrost/sdk';
import type { DialectCodec } from '../dialects/codec.ts';
import { endGraceMs } from './end-grace.ts';
import { StreamWatcher } from './stream-watcher.ts';
import type { WholeUsage } from './whole-usage.ts';

/** The rest of an answer that nobody waits for any more: its bytes are looked at for the usage that they report. Nothing throws. */
export interface UsageTail {
  /**
   * Takes bytes. Returns how long the provider may still go on once the answer has been said to its end; undefined where it has
   * not, or where the bytes held no event.
   */
  push(chunk: Buffer): number | undefined;
  /** What was reported, at the end of the bytes or where they are given up. */
  read(): Usage | undefined;
}

/** Of a stream: goes on with the watcher that has seen its beginning. */
export class StreamTail implements UsageTail {
  readonly #codec: DialectCodec;
  readonly #watcher: StreamWatcher;

  constructor(codec: DialectCodec, watcher: StreamWatcher = new StreamWatcher(codec)) {
    this.#codec = codec;
    this.#watcher = watcher;
  }

  push(chunk: Buffer): number | undefined {
    this.#watcher.push(chunk);
    return this.#watcher.hasEndInLast ? endGraceMs(this.#codec.name, this.#watcher) : undefined;
  }

  read(): Usage | undefined {
    this.#watcher.finish();
    return this.#watcher.readUsage();
  }
}

/** Of a whole answer, whose length says where it ends. */
export class WholeTail implements UsageTail {
  readonly #usage: WholeUsage;

  /** `begun`: the bytes that have come before, where `usage` has not seen them. */
  constructor(usage: WholeUsage, begun: readonly Buffer[] = []) {
    this.#usage = usage;
    for (const chunk of begun) usage.push(chunk);
  }

  push(chunk: Buffer): undefined {
    this.#usage.push(chunk);
  }

  read(): Usage | undefined {
    return this.#usage.read();
  }
}
