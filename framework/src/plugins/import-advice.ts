/** What to say to an import of a plugin that leads nowhere: the mistake behind it, and the line to write instead. */
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import * as sdk from '@bifrost/sdk';
import { nearestWord } from '../config/suggestion.ts';

const sdkName = '@bifrost/sdk';
const packageName = /^(?:@[a-z0-9~-][\w.~-]*\/)?[a-z0-9~-][\w.~-]*$/;

/** In a process of its own a plugin may not even ask about files that are not its own. */
function isThere(file: string): boolean {
  try {
    return existsSync(file);
  } catch {
    return false;
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // Not there, or not this plugin's to read.
    return '';
  }
}

/** The file of this name in the folder of `file` or above it. */
export function nearestFile(file: string, name: string): string | undefined {
  const folder = dirname(file);
  if (isThere(join(folder, name))) return join(folder, name);
  return folder === dirname(folder) ? undefined : nearestFile(folder, name);
}

/** The specifiers of the importing file that begin with the name that Node gives: of `lib/words` it says `lib`. */
function specifierIn(importer: string, wanted: string): string {
  const quoted = [...readText(importer).matchAll(/['"`]([^'"`\n]{1,500})['"`]/g)].map(([, text = '']) => text);
  return quoted.find((text) => text === wanted || text.startsWith(`${wanted}/`)) ?? wanted;
}

/** Whether `paths` or `baseUrl` of the nearest tsconfig.json is what the author relies on. */
function isAlias(importer: string, specifier: string): boolean {
  if (
    !packageName.test(
      specifier
        .split('/')
        .slice(0, specifier.startsWith('@') ? 2 : 1)
        .join('/'),
    )
  )
    return true;
  const config = nearestFile(importer, 'tsconfig.json');
  const paths = config === undefined ? undefined : /"paths"\s*:\s*\{([^}]*)\}/.exec(readText(config))?.[1];
  const keys = [...(paths ?? '').matchAll(/"([^"]+)"\s*:/g)].map(([, key = '']) => key);
  return keys.some((key) => (key.endsWith('*') ? specifier.startsWith(key.slice(0, -1)) : key === specifier));
}

function missingPackage(importer: string, wanted: string): string {
  if (wanted === sdkName) {
    return `${importer} imports a part of ${sdkName} by its path: everything in it is imported from "${sdkName}" itself`;
  }
  const specifier = specifierIn(importer, wanted);
  if (isAlias(importer, specifier)) {
    const what = packageName.test(wanted) ? 'an alias' : 'no name of a package';
    return (
      `${importer} imports "${specifier}", which is ${what}: \`paths\` of tsconfig.json are known to tsc alone. ` +
      `Write the relative path with its extension (./${basename(specifier)}.ts), or bundle the plugin with \`bifrost plugin build\``
    );
  }
  if (wanted.startsWith('@bifrost/') && nearestWord(wanted.slice(9), ['sdk']) === undefined) {
    return `${importer} imports "${wanted}", which is no part of the plugin API: a plugin imports of the gateway "${sdkName}" alone`;
  }
  const missing = `${importer} imports the package "${wanted}", which is not installed: `;
  return nearestWord(wanted, [sdkName]) === undefined
    ? `${missing}run \`npm install ${wanted}\` in the plugin's folder`
    : `${missing}did you mean "${sdkName}", which the gateway brings along?`;
}

function missingFile(importer: string, wanted: string): string {
  const typescript = wanted.replace(/\.(m?)js$/, '.$1ts');
  if (typescript !== wanted && isThere(typescript)) {
    return `${importer} imports ${wanted}, but the file is ${typescript}: write the import with its real extension (.ts)`;
  }
  const withExtension = ['.ts', '.js', '.mts', '.mjs', '/index.ts', '/index.js'].find((end) => isThere(wanted + end));
  if (withExtension !== undefined) {
    return `${importer} imports ${wanted} without an extension: write "${withExtension}" at its end`;
  }
  return `${importer} imports ${wanted}, and there is no such file`;
}

/** The sentence for an import of a file or package that is not there, from what Node says of it. */
export function adviseOnMissingModule(message: string): string {
  const match = /Cannot find (module|package) '([^']+)' imported from (.+)$/s.exec(message);
  const [, kind, wanted, importer] = match ?? [];
  if (kind === undefined || wanted === undefined || importer === undefined) return message;
  return kind === 'package' ? missingPackage(importer, wanted) : missingFile(importer, wanted);
}

const typeAdvice = 'a type must be imported with `import type`, as types are not there at run time';

/** The sentence for a name that the imported module does not have; `where` is the place, with " at " in front. */
export function adviseOnMissingExport(message: string, where: string): string {
  const [, from, name = ''] = /module '([^']+)' does not provide an export named '([^']+)'/.exec(message) ?? [];
  const meant = from === sdkName ? nearestWord(name, Object.keys(sdk)) : undefined;
  if (meant !== undefined) return `"${sdkName}" has no export "${name}": did you mean ${meant}?${where}`;
  return `${message}${where} (${typeAdvice})`;
}

/** The sentence for JSON that was imported as if it were code. */
export function adviseOnJson(file: string): string {
  const name = basename(file, '.json').replaceAll(/\W/g, '');
  return `${file} is JSON, which is imported with its type: \`import ${name} from './${basename(file)}' with { type: 'json' }\``;
}
