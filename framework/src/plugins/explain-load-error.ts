/** Turns what Node says about a module that does not load into cause, place and remedy. */
import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { basename, extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PluginError } from '@bifrost/sdk';
import { adviseOnJson, adviseOnMissingExport, adviseOnMissingModule, nearestFile } from './import-advice.ts';

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

/** Node takes a decorator for JavaScript to come, and then its engine says only that there is something invalid. */
function findDecorator(files: readonly string[]): string | undefined {
  for (const file of files.filter((name) => /\.m?[jt]s$/.test(name))) {
    const lines = readFileSync(file, 'utf8').split('\n');
    const at = lines.findIndex((line) => /^[^'"`*/]*(?:^|[\s{;(])@[A-Za-z_$][\w$.]*(?:[\s(]|$)/.test(line));
    if (at !== -1) return `a decorator is not supported at ${file}:${at + 1} (\`${lines[at]?.trim().slice(0, 120)}\`)`;
  }
  return undefined;
}

const ofCommonJs: Readonly<Record<string, string>> = {
  require: '`import ... from`',
  module: '`export default definePlugin({ ... })`',
  exports: '`export default definePlugin({ ... })`',
  __dirname: '`import.meta.dirname`',
  __filename: '`import.meta.filename`',
};

/** What is said to a file that is written as the one kind of module and read as the other. */
function adviseOnModuleKind(message: string, place: string | undefined): string | undefined {
  const [, name = ''] = /^(\w+) is not defined in ES module scope/.exec(message) ?? [];
  const instead = ofCommonJs[name];
  if (instead !== undefined) return `${name} is not defined: a plugin is an ES module, write ${instead} instead`;
  if (!/^(?:Cannot use import statement outside a module|Unexpected token 'export')/.test(message)) return undefined;
  const file = place?.replace(/:\d+$/, '');
  const manifest = file === undefined ? undefined : nearestFile(file, 'package.json');
  if (file === undefined || manifest === undefined) return undefined;
  const renamed = basename(file).replace(/\.(ts|js)$/, '.m$1');
  const other = ['.ts', '.js'].includes(extname(file)) ? `, or call the file ${renamed}` : '';
  return `${file} is an ES module, and ${manifest} says that it is CommonJS: write "type": "module" there${other}`;
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
      return { code: 'BF_PLUGIN_IMPORT_MISSING', message: adviseOnMissingModule(error.message) };
    case 'ERR_IMPORT_ATTRIBUTE_MISSING': {
      const url = /file:[^"?]+/.exec(error.message)?.[0];
      const message = url === undefined ? error.message : adviseOnJson(fileURLToPath(url));
      return { code: 'BF_PLUGIN_LOAD_FAILED', message };
    }
    case 'ERR_UNKNOWN_FILE_EXTENSION':
      return { code: 'BF_PLUGIN_SYNTAX', message: error.message };
    default:
  }
  if (/does not provide an export named/.test(error.message)) {
    return { code: 'BF_PLUGIN_IMPORT_MISSING', message: adviseOnMissingExport(error.message, where) };
  }
  return explainThrow(error, place, files, name);
}

/** An error without a code of Node's: the engine's parser, or the module itself. */
function explainThrow(
  error: NodeError,
  place: string | undefined,
  files: readonly string[],
  name: string,
): { code: string; message: string } {
  const ofKind = adviseOnModuleKind(error.message, place);
  if (/^SyntaxError/m.test(error.stack) && !/\n\s+at .*[?&]plugin=/.test(error.stack)) {
    if (ofKind !== undefined) return { code: 'BF_PLUGIN_SYNTAX', message: ofKind };
    const found = place ?? findSyntaxError(files);
    const decorator = found === undefined ? findDecorator(files) : undefined;
    if (decorator !== undefined) return { code: 'BF_PLUGIN_SYNTAX', message: `${decorator}. ${syntaxAdvice}` };
    const at = found === undefined ? '' : ` at ${found}`;
    return { code: 'BF_PLUGIN_SYNTAX', message: `syntax error${at}: ${error.message}` };
  }
  return {
    code: 'BF_PLUGIN_LOAD_FAILED',
    message: `its module threw while it was loaded: ${ofKind ?? error.message}${frameOf(error, name)}`,
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
