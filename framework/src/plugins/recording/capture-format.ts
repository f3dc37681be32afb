/**
 * The file of a capture: a line of plain JSON that says what it is, then frames. A frame is its length (32 bits, big endian), a nonce
 * of 12 bytes, AES-256-GCM of some calls as lines of JSON, and the tag of 16 bytes. Each frame is bound to the first line and to its
 * number, so none can be exchanged, left out between others, or taken from another file. What was cut off at the end is found by
 * the last frame, which says how many calls there are.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import type { RecordedCall } from '@bifrost/core';

export const captureVersion = 1;

/** The first line. */
export interface CaptureHeader {
  readonly format: 'bifrost-capture';
  readonly version: number;
  /** Random: no two files have the same. */
  readonly id: string;
  readonly plugin: string;
  /** ISO 8601. */
  readonly startedAt: string;
}

/** What the last frame says. */
export interface CaptureEnd {
  readonly calls: number;
  readonly requests: number;
  /** Calls and requests that the bounds, or a slow disk, left out. */
  readonly leftOut: number;
}

const nonceBytes = 12;
const tagBytes = 16;
export const maxFrameBytes = 268_435_456;

export function createHeader(plugin: string, now: Date): CaptureHeader {
  const id = randomBytes(16).toString('hex');
  return { format: 'bifrost-capture', version: captureVersion, id, plugin, startedAt: now.toISOString() };
}

export function encodeHeader(header: CaptureHeader): Buffer {
  return Buffer.from(`${JSON.stringify(header)}\n`, 'utf8');
}

function boundTo(headerLine: Uint8Array, frame: number): Buffer {
  const number = Buffer.alloc(4);
  number.writeUInt32BE(frame);
  return Buffer.concat([createHash('sha256').update(headerLine).digest(), number]);
}

/** One frame with `text`. */
export function sealFrame(key: Uint8Array, headerLine: Uint8Array, frame: number, text: string): Buffer {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(boundTo(headerLine, frame));
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(nonceBytes + sealed.length + tagBytes);
  return Buffer.concat([length, nonce, sealed, cipher.getAuthTag()]);
}

/** The text of a frame, without its length. Throws where the key is another, or a byte was changed. */
export function openFrame(key: Uint8Array, headerLine: Uint8Array, frame: number, bytes: Uint8Array): string {
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes });
  decipher.setAAD(boundTo(headerLine, frame));
  decipher.setAuthTag(bytes.subarray(bytes.length - tagBytes));
  const sealed = bytes.subarray(nonceBytes, bytes.length - tagBytes);
  return Buffer.concat([decipher.update(sealed), decipher.final()]).toString('utf8');
}

/** Least length of a frame after its length field. */
export const minFrameBytes = nonceBytes + tagBytes;

function toJson(_key: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString('base64') };
  // Buffer.prototype.toJSON comes before the replacer.
  const isBuffer =
    typeof value === 'object' && value !== null && 'type' in value && value.type === 'Buffer' && 'data' in value;
  return isBuffer && Array.isArray(value.data)
    ? { $bytes: Buffer.from(value.data as number[]).toString('base64') }
    : value;
}

function fromJson(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('$bytes' in value) || Object.keys(value).length !== 1)
    return value;
  return typeof value.$bytes === 'string' ? new Uint8Array(Buffer.from(value.$bytes, 'base64')) : value;
}

/** A call as one line. */
export function encodeCall(call: RecordedCall): string {
  return JSON.stringify(call, toJson);
}

export function decodeCall(line: string): RecordedCall {
  // Written by `encodeCall`; its frame was authenticated.
  return JSON.parse(line, fromJson) as RecordedCall;
}
