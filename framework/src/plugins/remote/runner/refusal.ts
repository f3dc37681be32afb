/** What a plugin's process may not do, said so that the operator can grant it. */
import { PluginError } from '@bifrost/sdk';

export const refusedCode = 'BF_PLUGIN_REFUSED';

/** The refusal of something that a capability would allow. `grant` is the line for the entry's `capabilities`. */
export function refusalOf(plugin: string, what: string, capability: string, grant: string): PluginError {
  return new PluginError(plugin, refusalText(what, capability, grant), { code: refusedCode });
}

export function refusalText(what: string, capability: string, grant: string): string {
  return `${what} is refused: it is not granted the capability "${capability}" (plugins[].capabilities.${grant})`;
}

interface NodeDenial {
  readonly code?: unknown;
  readonly permission?: unknown;
  readonly resource?: unknown;
  readonly message?: unknown;
}

function textOf(denial: NodeDenial): string | undefined {
  const resource = typeof denial.resource === 'string' ? denial.resource : '';
  switch (denial.permission) {
    case 'FileSystemRead':
      return refusalText(`reading ${resource}`, 'fs.read', `fs.read: ["${resource}"]`);
    case 'FileSystemWrite':
      return refusalText(`writing ${resource}`, 'fs.write', `fs.write: ["${resource}"]`);
    case 'ChildProcess':
      return refusalText(`starting the program ${resource}`, 'childProcess', 'childProcess: true');
    case 'WorkerThreads':
      return refusalText('starting a thread', 'workerThreads', 'workerThreads: true');
    case 'Addon':
    case 'FFI':
      return refusalText('loading native code', 'native', 'native: true');
    case 'Net':
      return refusalText('using the network in this way', 'net', 'net grants connections to hosts, no other use of it');
    default:
      return undefined;
  }
}

function explainOne(error: NodeDenial): string | undefined {
  const message = typeof error.message === 'string' ? error.message : '';
  if (error.code === 'ERR_ACCESS_DENIED') {
    const isName = message.startsWith('getaddrinfo') || message.startsWith('query');
    if (!isName) return textOf(error) ?? `${message} is refused to a plugin in a process of its own`;
    return 'looking up a host name is refused: connect to the name itself, the gateway looks it up';
  }
  if (error.code === 'ERR_DLOPEN_DISABLED') return refusalText('loading a native add-on', 'native', 'native: true');
  if (/No such built-in module: (node:)?sqlite/.test(message)) {
    return refusalText('using node:sqlite', 'sqlite', 'sqlite: true');
  }
  return undefined;
}

/**
 * The refusal behind an error, if there is one: libraries wrap what Node throws (`fetch failed`), and Node's own words name flags
 * that no operator of the gateway sets. Anything else comes back as it is.
 */
export function explainRefusal(plugin: string, thrown: unknown): unknown {
  let error: unknown = thrown;
  for (let depth = 0; depth < 5 && error instanceof Error; depth += 1) {
    if (PluginError.isInstance(error) && error.code === refusedCode) return error;
    const text = explainOne(error);
    if (text !== undefined) return new PluginError(plugin, text, { code: refusedCode, cause: thrown });
    error = error.cause;
  }
  return thrown;
}
