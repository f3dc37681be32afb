import { GatewayError } from '@bifrost/sdk';
import type { Message, Part } from '@bifrost/sdk';
import type { LossReport } from '../codec.ts';

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** `length` letters and digits that depend on `text` alone (FNV-1a feeding a xorshift), so that every replica maps alike. */
function digest(text: string, length: number): string {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  let [a, b] = [hash >>> 0 || 1, Math.imul(hash ^ text.length, 0x9e3779b1) >>> 0 || 1];
  let result = '';
  while (result.length < length) {
    for (let at = 0; at < text.length; at++) b = Math.imul(b ^ text.charCodeAt(at), 0x85ebca6b) >>> 0;
    a ^= a << 13;
    a ^= a >>> 17;
    a ^= a << 5;
    result += alphabet[((a ^ b) >>> 0) % alphabet.length];
  }
  return result;
}

/** The longest length that the pattern's last quantifier allows, e.g. 9 for `^[a-zA-Z0-9]{9}$`. */
function lengthOf(pattern: string): number {
  const match = /\{(?:\d+,)?(\d+)\}/.exec(pattern);
  return Math.min(Number(match?.[1] ?? 24), 40);
}

/**
 * Replaces tool-call ids that do not match the provider's pattern, in calls and results alike. The mapping is a function of the
 * id, so nothing has to be remembered: the provider only compares them within one request. Throws `BF_DIALECT_TOOL_ID` where the
 * declared pattern cannot be met with letters and digits.
 */
export function mapToolCallIds(messages: readonly Message[], pattern: string, report: LossReport): readonly Message[] {
  const expression = new RegExp(pattern);
  const mapped = new Map<string, string>();
  const used = new Set<string>();
  const toId = (id: string): string => {
    const known = mapped.get(id);
    if (known !== undefined) return known;
    let next = id;
    for (let salt = 0; !expression.test(next) || used.has(next); salt++) {
      if (salt === 100)
        throw new GatewayError(`no id of letters and digits matches the pattern ${pattern}`, {
          code: 'BF_DIALECT_TOOL_ID',
          statusCode: 500,
        });
      next = digest(`${salt}:${id}`, lengthOf(pattern));
    }
    mapped.set(id, next);
    used.add(next);
    if (next !== id)
      report.add({ action: 'changed', field: 'tool_call_id', reason: `the provider takes only ids like ${pattern}` });
    return next;
  };
  const mapPart = (part: Part): Part => {
    if (part.type === 'tool-call') return { ...part, id: toId(part.id) };
    return part.type === 'tool-result' ? { ...part, toolCallId: toId(part.toolCallId) } : part;
  };
  return messages.map((message) => ({ ...message, parts: message.parts.map(mapPart) }));
}
