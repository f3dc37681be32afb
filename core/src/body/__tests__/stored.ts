import type { InboundRoute } from '../../pipeline/seam.ts';
import { BodyScan } from '../body-scan.ts';
import { MemoryBody } from '../memory-body.ts';

/** The bytes as a stored body, in pieces of that size. */
export function storedOf(bytes: Buffer | string, route: InboundRoute, pieceBytes = 1000): MemoryBody {
  const body = Buffer.from(bytes);
  const pieces: Buffer[] = [];
  const scan = new BodyScan(route);
  for (let at = 0; at < body.length; at += pieceBytes) {
    const piece = body.subarray(at, at + pieceBytes);
    scan.push(piece);
    pieces.push(piece);
  }
  scan.end();
  return new MemoryBody(pieces, scan);
}
