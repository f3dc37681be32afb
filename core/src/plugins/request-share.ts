/** Chooses a share of all requests by their ids: the same request is chosen in every thread and at every attempt. */

/** A number from 0 to 1 (exclusive) that a request id always gives, evenly spread. */
export function requestDraw(requestId: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < requestId.length; index += 1) {
    hash = Math.imul(hash ^ requestId.charCodeAt(index), 0x01000193);
  }
  // Ids that count upwards differ in their last characters only: mix them into all bits.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
