/** Regular expressions of others, on values of others, with a deadline. */
import { createContext, Script } from 'node:vm';

/** A pattern that needs longer for one value is one that would need ages for another. */
const timeoutMs = 100;

let sandbox: ReturnType<typeof createContext> | undefined;
const script = new Script('new RegExp(pattern, "u").test(value)');

/** Without repetition a pattern is done at once: the deadline's thread would cost a thousand times as much. */
function isQuick(pattern: string): boolean {
  return !/[*+{]/.test(pattern);
}

/** Whether `value` matches `pattern`; undefined when that was not found out in time. */
export function testPattern(pattern: string, value: string): boolean | undefined {
  if (isQuick(pattern)) return new RegExp(pattern, 'u').test(value);
  sandbox ??= createContext(Object.create(null) as object);
  Object.assign(sandbox, { pattern, value });
  try {
    return script.runInContext(sandbox, { timeout: timeoutMs }) === true;
  } catch (error) {
    // The error may be one of the sandbox's realm, so its class says nothing.
    const code: unknown = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
    if (code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return undefined;
    throw error;
  } finally {
    Object.assign(sandbox, { pattern: '', value: '' });
  }
}
