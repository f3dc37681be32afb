import type { TopLevel } from '../json/peek.ts';

/** What was found in a body as it went by. */
export interface ScannedBody {
  /** The members that the gateway reads. Throws InvalidRequestError where the body is no JSON object. */
  top(): TopLevel;
  /** It holds something that only a translation can take out again (`holdsWrappedValues`). */
  readonly hasMarks: boolean;
  /** On the routes of the Responses API, where encrypted values may be (`state-names.ts`): offsets of the last few, the last first. */
  readonly encryptedAt: readonly number[];
}

/**
 * A body that is not held in one buffer: in a file, or in pieces. It can be read from any offset, any number of times, so every
 * attempt sends it anew. Whoever made it lets it go, once the engine has ended the request.
 */
export interface StoredBody {
  /** Its bytes. */
  readonly length: number;
  readonly scanned: ScannedBody;
  /** The bytes of a short range, at once. Throws GatewayError where they cannot be read. */
  readNow(start: number, end: number): Buffer;
  /** All of it in one buffer, at once. Throws GatewayError where it cannot be read, or where there is no room for it. */
  whole(): Buffer;
  /** Fills `into` from `position` on. `done` is called later, once, with how many bytes there are: fewer only at the end. */
  read(into: Buffer, position: number, done: (error: Error | null, bytes: number) => void): void;
}
