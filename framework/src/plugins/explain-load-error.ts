/** Turns what Node says about a module that does not load into cause, place and remedy. */
import { existsSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { PluginError } from '@bifrost/sdk';

interface NodeError {
  readonly code: string;
  readonly message: string;
  readonly stack: string;
}

function readError(thrown: unknown): NodeError {
  if (!(thrown instanceof Error)) return { code: '', message: `threw ${typeof thrown}, not an Error`, stack: '' };
  const code = 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : '';
  return { code, message: thrown.message, stack: thrown.stack ?? '' };
}

/** `file:line` from the head that Node puts before the stack of a syntax error. */
function placeOf(stack: string): string | undefined {
  const [first = ''] = stack.split('\n');
  const match = /^(?:file:\/\/)?(\/[^?\n]*|[A-Za-z]:[^?\n]*?)(?:\?[^:\n]*)?:(\d+)$/.exec(first.trim());
  return match === null ? undefined : `${match[1]}:${match[2]}`;
}

/** Node names no place for a syntax error in plain JavaScript: parse the plugin's files again with a parser that does. */
function findSyntaxError(files: readonly string[]): string | undefined {
  for (const file of files.filter((name) => /\.m?js$/.test(name))) {
    try {
      stripTypeScriptTypes(readFileSync(file, 'utf8'), { sourceUrl: file });
    } catch (thrown) {
      const { stack, code } = readError(thrown);
      if (code === 'ERR_INVALID_TYPESCRIPT_SYNTAX') return placeOf(stack) ?? file;
    }
  }
  return undefined;
}

/** The line of code that Node has marked with carets. */
function markedLine(stack: string): string {
  const lines = stack.split('\n');
  const marks = lines.findIndex((line) => /^\s*\^+\s*$/.test(line));
  const line = lines[marks - 1]?.trim();
  return line === undefined || line === '' ? '' : ` (\`${line.slice(0, 120)}\`)`;
}

/** In a process of its own a plugin may not even ask about files that are not its own. */
function isThere(file: string): boolean {
  try {
    return existsSync(file);
  } catch {
    return false;
  }
}

function missingModule(message: string): string {
  const match = /Cannot find (module|package) '([^']+)' imported from (.+)$/s.exec(message);
  const [, kind, wanted, importer] = match ?? [];
  if (kind === undefined || wanted === undefined || importer === undefined) return message;
  if (kind === 'package') {
    return `${importer} imports the package "${wanted}", which is not installed: run \`npm install ${wanted}\` in the plugin's folder`;
  }
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

const syntaxAdvice =
  'Node runs TypeScript by removing its types; enums, namespaces, parameter properties and decorators need code to be made. ' +
  'Write them in plain TypeScript (a const object instead of an enum), or build the plugin to JavaScript';

function explain(error: NodeError, files: readonly string[], name: string): { code: string; message: string } {
  const place = placeOf(error.stack);
  const where = place === undefined ? '' : ` at ${place}${markedLine(error.stack)}`;
  switch (error.code) {
    case 'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING':
      return {
        code: 'BF_PLUGIN_TYPESCRIPT_IN_NODE_MODULES',
        message:
          `the package ships TypeScript, which Node does not run below node_modules (${error.message.replace(/^.*for "?/s, '').replace(/"$/, '')}): ` +
          'publish it as JavaScript, or point `path` at a folder outside node_modules',
      };
    case 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX':
      return { code: 'BF_PLUGIN_SYNTAX', message: `${error.message}${where}. ${syntaxAdvice}` };
    case 'ERR_INVALID_TYPESCRIPT_SYNTAX':
      return { code: 'BF_PLUGIN_SYNTAX', message: `syntax error${where}: ${error.message}` };
    case 'ERR_MODULE_NOT_FOUND':
    case 'ERR_UNSUPPORTED_DIR_IMPORT':
      return { code: 'BF_PLUGIN_IMPORT_MISSING', message: missingModule(error.message) };
    case 'ERR_UNKNOWN_FILE_EXTENSION':
      return { code: 'BF_PLUGIN_SYNTAX', message: error.message };
    default:
  }
  if (/does not provide an export named/.test(error.message)) {
    const advice = 'a type must be imported with `import type`, as types are not there at run time';
    return { code: 'BF_PLUGIN_IMPORT_MISSING', message: `${error.message}${where} (${advice})` };
  }
  if (/^SyntaxError/m.test(error.stack) && !/\n\s+at .*[?&]plugin=/.test(error.stack)) {
    const found = place ?? findSyntaxError(files);
    return {
      code: 'BF_PLUGIN_SYNTAX',
      message: `syntax error${found === undefined ? '' : ` at ${found}`}: ${error.message}`,
    };
  }
  return {
    code: 'BF_PLUGIN_LOAD_FAILED',
    message: `its module threw while it was loaded: ${error.message}${frameOf(error, name)}`,
  };
}

/** Where in the plugin an error was thrown. */
function frameOf(error: NodeError, name: string): string {
  const tag = `plugin=${encodeURIComponent(name)}&`;
  const line = error.stack.split('\n').find((text) => text.includes(tag));
  const match = line === undefined ? null : /(?:file:\/\/)([^?\s]+)\?[^:\s]*:(\d+)/.exec(line);
  return match === null ? '' : ` (${match[1]}:${match[2]})`;
}

/** The error of a plugin whose module could not be imported. `files` are its files as far as they were resolved. */
export function explainLoadError(name: string, thrown: unknown, files: readonly string[]): PluginError {
  if (thrown instanceof PluginError) return thrown;
  const { code, message } = explain(readError(thrown), files, name);
  return new PluginError(name, message, { code, cause: thrown });
}
