/** Regular expressions of others, on values of others, with a deadline. */
import { createContext, Script } from 'node:vm';

/** A pattern that needs longer for one value is one that would need ages for another. */
const timeoutMs = 100;

let sandbox: ReturnType<typeof createContext> | undefined;
const script = new Script('new RegExp(pattern, "u").test(value)');

/** Whether `value` matches `pattern`; undefined when that was not found out in time. */
export function testPattern(pattern: string, value: string): boolean | undefined {
  sandbox ??= createContext(Object.create(null) as object);
  Object.assign(sandbox, { pattern, value });
  try {
    return script.runInContext(sandbox, { timeout: timeoutMs }) === true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return undefined;
    throw error;
  } finally {
    Object.assign(sandbox, { pattern: '', value: '' });
  }
}
