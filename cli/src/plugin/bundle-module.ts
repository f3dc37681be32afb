/**
 * A module and everything that it imports as one text. Installed with the repository there is a bundler for it; the executable and
 * the npm package carry none (it is native code, of twice the size of all the rest of the program): they take the one of the plugin's
 * own folder, and need none for a plugin of one file.
 */
import { readFileSync } from 'node:fs';
import { createRequire, stripTypeScriptTypes } from 'node:module';
import { dirname, extname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as Rolldown from 'rolldown';
import { isNativeCodeAllowed, packaging } from '@bifrost/framework/realms';

/** What the gateway brings along, and Node's own. */
const stayOutside = ['@bifrost/sdk', /^node:/];

/** The bundler beside the plugin, or above; undefined where there is none. */
function resolveBundler(folder: string): string | undefined {
  try {
    return createRequire(join(folder, 'package.json')).resolve('rolldown');
  } catch {
    // Not installed there: the caller says what to do.
    return undefined;
  }
}

async function findBundler(folder: string): Promise<typeof Rolldown | undefined> {
  // A cast where the path is known only now.
  if (packaging === 'source') return import('rolldown');
  const path = isNativeCodeAllowed() ? resolveBundler(folder) : undefined;
  return path === undefined ? undefined : ((await import(pathToFileURL(path).href)) as typeof Rolldown);
}

/**
 * The first thing that a module's text takes from elsewhere; undefined for a module of one file. Text that only looks like an
 * import counts too: then a bundler is asked for where none was needed.
 */
export function findImport(code: string): string | undefined {
  for (const [, from] of code.matchAll(/\b(?:from|import)\s*\(?\s*["']([^"'\n]+)["']/g)) {
    if (from !== undefined && from !== '@bifrost/sdk' && !from.startsWith('node:')) return from;
  }
  return /\b(?:import|require)\s*\(\s*(?!["'](?:node:|@bifrost\/sdk["']))/.exec(code)?.[0];
}

function oneFile(entry: string): string {
  const text = readFileSync(entry, 'utf8');
  const code = /\.m?ts$/.test(extname(entry)) ? stripTypeScriptTypes(text) : text;
  const imported = findImport(code);
  if (imported === undefined) return code;
  const install = `npm install --save-dev rolldown in ${dirname(entry)}`;
  throw new Error(
    `it imports ${imported}, and the bundler that makes one file of several is native code, which this program does not carry: ` +
      (isNativeCodeAllowed()
        ? install
        : `build the gateway with \`make build DYNAMIC=1\`, or take its npm package, and ${install}`),
  );
}

/** The text of one module. Rejects with what is wrong with the sources, or what is missing. */
export async function bundleModule(entry: string): Promise<string> {
  const rolldown = await findBundler(dirname(entry));
  if (rolldown === undefined) return oneFile(entry);
  try {
    const made = await rolldown.rolldown({ input: entry, platform: 'node', external: stayOutside, logLevel: 'silent' });
    const { output } = await made.generate({ format: 'esm', codeSplitting: false });
    await made.close();
    return output[0].code;
  } catch (cause) {
    throw new Error(`it cannot be bundled: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
