import { strict as assert } from 'node:assert';
import type { StoredBody } from '@bifrost/core';

/** What a kind of stored body has to do, with the bytes it was made of. Whoever runs a case lets the body go. */
export interface StoredBodyCase {
  readonly name: string;
  readonly check: (body: StoredBody, bytes: Buffer) => Promise<void> | void;
}

function read(body: StoredBody, into: Buffer, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    let isLater = false;
    body.read(into, position, (error, bytes) => {
      if (error !== null) reject(error);
      else if (isLater) resolve(bytes);
      else reject(new Error('the listener was called before `read` had returned'));
    });
    isLater = true;
  });
}

async function readAll(body: StoredBody, pieceBytes: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for (let position = 0; position < body.length; position += pieceBytes) {
    const into = Buffer.alloc(Math.min(pieceBytes, body.length - position));
    assert.equal(await read(body, into, position), into.length);
    pieces.push(into);
  }
  return Buffer.concat(pieces);
}

/** For every implementation of `StoredBody`, made of at least 200 kB. */
export const storedBodyCases: readonly StoredBodyCase[] = [
  {
    name: 'knows its length',
    check: (body, bytes) => assert.equal(body.length, bytes.length),
  },
  {
    name: 'is read in pieces of any size, again and again, and by several at once',
    async check(body, bytes) {
      const sizes = [7919, 64 * 1024, bytes.length];
      const all = await Promise.all([...sizes, ...sizes].map((size) => readAll(body, size)));
      for (const one of all) assert.ok(one.equals(bytes));
    },
  },
  {
    name: 'fills less than the buffer at its end only',
    async check(body, bytes) {
      const into = Buffer.alloc(100);
      assert.equal(await read(body, into, bytes.length - 30), 30);
      assert.ok(into.subarray(0, 30).equals(bytes.subarray(-30)));
      assert.equal(await read(body, into, bytes.length), 0);
    },
  },
  {
    name: 'gives ranges at once',
    check(body, bytes) {
      for (const [start, end] of [
        [0, 1],
        [65_530, 65_560],
        [bytes.length - 5, bytes.length],
        [12, 12],
      ] as const) {
        assert.ok(body.readNow(start, end).equals(bytes.subarray(start, end)), `${start} to ${end}`);
      }
    },
  },
  {
    name: 'is had whole, once and after it was read',
    async check(body, bytes) {
      assert.ok(body.whole().equals(bytes));
      assert.equal(body.whole(), body.whole());
      assert.ok((await readAll(body, 50_000)).equals(bytes));
    },
  },
];
