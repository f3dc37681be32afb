import { readFileSync } from 'node:fs';
import type { RecordedCall } from '@bifrost/core';
import { GatewayError, isJsonObject } from '@bifrost/sdk';
import { captureVersion, decodeCall, maxFrameBytes, minFrameBytes, openFrame } from './capture-format.ts';
import type { CaptureEnd, CaptureHeader } from './capture-format.ts';

/** A capture as it was read. */
export interface Capture {
  readonly header: CaptureHeader;
  readonly calls: readonly RecordedCall[];
  /** Absent where the file was not closed: the gateway ended while it recorded. */
  readonly end?: CaptureEnd;
}

function invalid(file: string, why: string, cause?: unknown): GatewayError {
  return new GatewayError(`${file} cannot be replayed: ${why}`, {
    code: 'BF_PLUGIN_RECORDING_INVALID',
    statusCode: 500,
    ...(cause === undefined ? {} : { cause }),
  });
}

function parseHeader(file: string, line: string): CaptureHeader {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    value = undefined;
  }
  if (!isJsonObject(value) || value['format'] !== 'bifrost-capture') {
    throw invalid(file, 'it is no recording of hook calls (a file that the gateway wrote, ending in .bfcap)');
  }
  if (value['version'] !== captureVersion) {
    throw invalid(
      file,
      `it has version ${JSON.stringify(value['version'])} of the format, this program reads ${captureVersion}`,
    );
  }
  // The gateway writes all members; the frames are bound to this very line.
  return value as unknown as CaptureHeader;
}

/** Reads a capture whole. Throws GatewayError `BF_PLUGIN_RECORDING_INVALID`. */
export function readCapture(file: string, key: Uint8Array): Capture {
  const bytes = readFileSync(file);
  const newline = bytes.indexOf(0x0a);
  if (newline === -1) throw invalid(file, 'it has no first line');
  const headerLine = bytes.subarray(0, newline + 1);
  const header = parseHeader(file, headerLine.toString('utf8'));
  const calls: RecordedCall[] = [];
  let end: CaptureEnd | undefined;
  let at = newline + 1;
  for (let frame = 0; at + 4 <= bytes.length; frame += 1) {
    const length = bytes.readUInt32BE(at);
    if (length < minFrameBytes || length > maxFrameBytes)
      throw invalid(file, `piece ${frame} has the impossible length ${length}`);
    // The gateway ended in the middle of a write: what was written before it is whole.
    if (at + 4 + length > bytes.length) break;
    if (end !== undefined) throw invalid(file, 'there is something after its end');
    let text: string;
    try {
      text = openFrame(key, headerLine, frame, bytes.subarray(at + 4, at + 4 + length));
    } catch (cause) {
      throw invalid(file, `piece ${frame} does not fit the key: it is another key, or the file was changed`, cause);
    }
    for (const line of text.split('\n')) {
      if (line.startsWith('{"end":')) end = (JSON.parse(line) as { readonly end: CaptureEnd }).end;
      else if (line !== '') calls.push(decodeCall(line));
    }
    at += 4 + length;
  }
  return { header, calls, ...(end === undefined ? {} : { end }) };
}
