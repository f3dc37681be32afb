import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import type { InboundRoute } from '@bifrost/core';
import { storedBodyCases } from '@bifrost/testkit';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { BodyFailure, BodySource } from '../read-body.ts';
import { BodyLedger, createLedgerCells } from './body-ledger.ts';
import { BodyStore } from './body-store.ts';
import { windowBytes } from './received-body.ts';
import type { LargeBody, ReceivedBody } from './received-body.ts';
import { SpoolFile } from './spool-file.ts';

const megabyte = 1024 * 1024;
const route: InboundRoute = {
  operation: 'conversation',
  dialect: 'openai-chat',
  requestType: 'chat_completion',
  isDropIn: true,
};

/** A client that notes what it is told. */
class FakeSource implements BodySource {
  readonly told: string[] = [];
  stall: () => void = () => undefined;

  watchStall(onStall: () => void): void {
    this.stall = onStall;
  }
  unwatchStall(): void {
    this.told.push('unwatch');
  }
  pauseBody(): void {
    this.told.push('pause');
  }
  resumeBody(): void {
    this.told.push('resume');
  }
  releaseBody(): void {
    this.told.push('release');
  }
}

let ledger: BodyLedger;
let warnings: unknown[];

beforeEach(() => {
  ledger = new BodyLedger(createLedgerCells(), 1);
  warnings = [];
});

function storeIn(...directories: readonly string[]): BodyStore {
  const ignore = (): void => undefined;
  const logger = {
    isDebug: false,
    debug: ignore,
    info: ignore,
    error: ignore,
    warn: (text: string) => warnings.push(text),
  };
  return new BodyStore({ ledger, directories, logger });
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'bifrost-spool-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

interface Taken {
  readonly source: FakeSource;
  readonly reader: ReturnType<BodyStore['createReader']>;
  readonly outcome: Promise<{ readonly failure: BodyFailure | null; readonly body: ReceivedBody }>;
}

function begin(store: BodyStore, { limit = 100 * megabyte, expected = -1 } = {}): Taken {
  const source = new FakeSource();
  const outcome = Promise.withResolvers<{ failure: BodyFailure | null; body: ReceivedBody }>();
  const listener = (failure: BodyFailure | null, body: ReceivedBody): void => outcome.resolve({ failure, body });
  const reader = store.createReader(source, { limit, expected, route }, listener);
  return { source, reader, outcome: outcome.promise };
}

/** Sends the bytes in pieces of their own memory, as sockets do. */
async function take(store: BodyStore, bytes: Buffer): Promise<LargeBody> {
  const { reader, outcome } = begin(store, { expected: bytes.length });
  for (let at = 0; at < bytes.length; at += 65_536) {
    reader.onBodyData(Buffer.from(Uint8Array.prototype.slice.call(bytes, at, at + 65_536).buffer));
    await new Promise(setImmediate);
  }
  const { failure, body } = await outcome;
  expect(failure).toBe(null);
  return body as LargeBody;
}

type Append = SpoolFile['append'];

/** Every write of a file is met first: it goes on with `forward`. */
function interceptWrites(meet: (forward: () => void, done: Parameters<Append>[1]) => void): void {
  const append = Reflect.get(SpoolFile.prototype, 'append') as Append;
  vi.spyOn(SpoolFile.prototype, 'append').mockImplementation(function (this: SpoolFile, pieces, done) {
    meet(() => append.call(this, pieces, done), done);
  });
  onTestFinished(() => void vi.restoreAllMocks());
}

const stores = {
  'a temporary file': () => storeIn(temporaryFolder()),
  'memory, where no file takes it': () => storeIn('/dev/null/nowhere'),
  'memory, once the disk is full': () => {
    let writes = 0;
    interceptWrites((forward, done) => {
      writes += 1;
      if (writes < 3) forward();
      else setImmediate(() => done(Object.assign(new Error('no space'), { code: 'ENOSPC' })));
    });
    return storeIn(temporaryFolder());
  },
};

describe.each(Object.entries(stores))('a large body in %s', (_name, createStore) => {
  it.each(storedBodyCases)('$name', async ({ check }) => {
    const bytes = randomBytes(1_500_000);
    const body = await take(createStore(), bytes);
    await check(body, bytes);
    body.release();
    expect(ledger.held).toBe(0);
  });

  it('has been scanned, and gives back all that it held', async () => {
    const body = await take(createStore(), Buffer.from(`{"x":"${'x'.repeat(2_000_000)}","model":"m"}`));
    expect(body.scanned.top().members[0]?.length).toBe(1);
    expect(ledger.held).toBeGreaterThanOrEqual(windowBytes);
    expect(body.readNow(body.length - 4, body.length).toString()).toBe('"m"}');
    body.whole();
    expect(ledger.held).toBeGreaterThanOrEqual(2_000_000);
    body.release();
    expect(ledger.held).toBe(0);
  });
});

describe('the taking in of a large body', () => {
  it('has the client wait while the file does not keep up, and forgets what is written', async () => {
    const held: (() => void)[] = [];
    interceptWrites((forward) => held.push(forward));
    const { source, reader, outcome } = begin(storeIn(temporaryFolder()));
    const pieces = Array.from({ length: 8 }, () => Buffer.from(new ArrayBuffer(65_536)));
    for (const piece of pieces) reader.onBodyData(piece);
    expect(source.told).toEqual(['pause']);
    await vi.waitFor(() => expect(held.length).toBe(1));
    held.shift()?.();
    await vi.waitFor(() => expect(source.told).toEqual(['pause', 'resume']));
    expect(pieces.map((piece) => piece.length)).toEqual(pieces.map(() => 0));
    reader.onBodyEnd();
    const { body } = await outcome;
    expect(body.length).toBe(8 * 65_536);
    (body as LargeBody).release();
  });

  it.each([
    ['too-large', ({ reader }: Taken) => reader.onBodyData(Buffer.alloc(2000))],
    ['aborted', ({ reader }: Taken) => reader.onBodyAborted()],
    ['stalled', ({ source }: Taken) => source.stall()],
  ] as const)('ends as %s with its file closed and nothing held', async (expected, break_) => {
    const release = vi.spyOn(SpoolFile.prototype, 'release');
    onTestFinished(() => void vi.restoreAllMocks());
    const taken = begin(storeIn(temporaryFolder()), { limit: 2500 });
    taken.reader.onBodyData(Buffer.alloc(1000));
    break_(taken);
    expect((await taken.outcome).failure).toBe(expected);
    expect(ledger.held).toBe(0);
    await vi.waitFor(() => expect(release).toHaveBeenCalledOnce());
    taken.reader.onBodyData(Buffer.alloc(1000));
    taken.reader.onBodyEnd();
  });

  it('is refused where no file takes it and memory has no room, and the log says so once', async () => {
    ledger.limit = megabyte;
    const store = storeIn('/dev/null/nowhere');
    for (let time = 0; time < 2; time += 1) {
      const { reader, outcome } = begin(store);
      for (let piece = 0; piece < 20; piece += 1) reader.onBodyData(Buffer.alloc(65_536));
      expect((await outcome).failure).toBe('not-stored');
    }
    expect([ledger.held, warnings.length, store.figures.failures]).toEqual([0, 1, 2]);
  });
});

describe('the ledger', () => {
  it('is limited as the operator says, and to a quarter of the memory where nothing is said', () => {
    const store = storeIn();
    store.setLimit(5 * megabyte);
    expect([store.hasRoom, ledger.hasRoomFor(5 * megabyte), ledger.hasRoomFor(5 * megabyte + 1)]).toEqual([
      true,
      true,
      false,
    ]);
    store.setLimit(0);
    expect(ledger.hasRoomFor(Number.MAX_SAFE_INTEGER)).toBe(true);
    store.setLimit(undefined);
    expect(ledger.limit).toBeLessThanOrEqual(totalmem() / 4);
    expect(ledger.limit).toBeGreaterThan(megabyte);
  });

  it('has room for a whole body within the limit of all threads, and says what to do beyond', async () => {
    const cells = createLedgerCells();
    ledger = new BodyLedger(cells, 1);
    const other = new BodyLedger(cells, 2);
    const body = await take(storeIn(temporaryFolder()), randomBytes(2 * megabyte));
    ledger.limit = 4 * megabyte;
    other.take(2 * megabyte);
    expect(() => body.whole()).toThrow(/take the 4 MB that they may.*max_request_bytes_in_flight_mb/);
    other.give(2 * megabyte);
    ledger.limit = megabyte;
    expect(() => body.whole()).toThrow(/its 2 MB are more than the 1 MB/);
    ledger.limit = Number.POSITIVE_INFINITY;
    expect(body.whole().length).toBe(2 * megabyte);
    body.release();
    expect([ledger.held, other.held]).toEqual([0, 0]);
  });
});
