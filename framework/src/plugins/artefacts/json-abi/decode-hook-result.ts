type Mutable = Record<string, unknown>;

function isRecord(value: unknown): value is Mutable {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The bytes that `{"$bytes": n}` stands for; undefined for any other value. */
function attachmentOf(value: unknown, attachments: readonly Uint8Array[]): Uint8Array | undefined {
  if (!isRecord(value) || !('$bytes' in value)) return undefined;
  const index = value['$bytes'];
  const bytes = typeof index === 'number' ? attachments[index] : undefined;
  if (bytes !== undefined) return bytes;
  const given = attachments.length === 1 ? '1 attachment' : `${attachments.length} attachments`;
  throw new Error(`its result names attachment ${JSON.stringify(index)}, and it gave ${given}`);
}

function attachBody(holder: unknown, attachments: readonly Uint8Array[]): void {
  if (!isRecord(holder)) return;
  const bytes = attachmentOf(holder['body'], attachments);
  if (bytes !== undefined) holder['body'] = bytes;
}

/**
 * The value that a hook returns, from what came over the boundary: no text is `undefined` ("unchanged"), otherwise it is JSON. Its
 * shape is checked by the chain, as that of every hook. Throws Error for text that is not JSON and for an attachment that is not there.
 */
export function decodeHookResult(text: string | undefined, attachments: readonly Uint8Array[]): unknown {
  if (text === undefined || text === '') return undefined;
  let result: unknown;
  try {
    result = JSON.parse(text);
  } catch (cause) {
    throw new Error(`its result is not JSON: ${cause instanceof Error ? cause.message : 'unreadable'}`, { cause });
  }
  if (!isRecord(result)) return result;
  attachBody(result, attachments);
  attachBody(result['request'], attachments);
  attachBody(result['response'], attachments);
  const data = attachmentOf(result['data'], attachments);
  if (data !== undefined) result['data'] = Buffer.from(data).toString();
  return result;
}
