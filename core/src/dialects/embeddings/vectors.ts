/** Vectors on the wire: lists of numbers, or base64 of little-endian 32-bit floats (OpenAI `encoding_format: base64`). */

/** base64 -> numbers; bytes that do not fill a float are ignored. */
export function decodeVector(base64: string): number[] {
  const bytes = Uint8Array.from(Buffer.from(base64, 'base64'));
  const view = new DataView(bytes.buffer);
  const values: number[] = [];
  for (let at = 0; at + 4 <= bytes.length; at += 4) values.push(view.getFloat32(at, true));
  return values;
}

/** Numbers -> base64. Values are rounded to 32 bits, as the form demands. */
export function encodeVector(values: readonly number[]): string {
  const view = new DataView(new ArrayBuffer(values.length * 4));
  for (const [at, value] of values.entries()) view.setFloat32(at * 4, value, true);
  return Buffer.from(view.buffer).toString('base64');
}
