/** The environment that a plugin sees, and who asks for more of it. */
import { refusalText } from './refusal.ts';

/** What libraries ask for everywhere and do well without. */
const commonProbes =
  /^(NODE_|npm_|JEST_|DEBUG|CI$|TERM|COLORTERM$|(NO|FORCE)_COLOR$|TZ$|LANG|LC_|HOME$|PATH$|USER|TMPDIR$|TEMP$|TMP$|(HTTPS?|NO|ALL)_PROXY$|https?_proxy$|no_proxy$|SSL_CERT|UNDICI_)/;
const maxNames = 64;

/**
 * A name that was not granted is undefined, as if it were not set: to throw would break every library that looks for a setting of
 * its own. `report` is told of each such name once.
 */
export function guardEnvironment(report: (message: string) => void): void {
  const reported = new Set<string>();
  // The rule is for the gateway's settings; this is the plugin's environment, which is put before its code.
  // oxlint-disable-next-line node/no-process-env
  const environment = new Proxy(process.env, {
    get(target, name, receiver): unknown {
      const value: unknown = Reflect.get(target, name, receiver);
      if (value !== undefined || typeof name !== 'string' || commonProbes.test(name)) return value;
      if (reported.has(name) || reported.size >= maxNames || name in Object.prototype) return value;
      reported.add(name);
      if (isAskedByNode()) return value;
      report(refusalText(`reading the environment variable ${name}`, 'env', `env: ["${name}"]`));
      return value;
    },
  });
  Object.defineProperty(process, 'env', { value: environment, writable: true, configurable: true, enumerable: true });
}

/** Node's own modules look for settings too. */
function isAskedByNode(): boolean {
  // 0: "Error", 1: here, 2: the proxy's `get`, 3: who reads.
  return /[( ]node:/.test(new Error('who reads').stack?.split('\n')[3] ?? '');
}
