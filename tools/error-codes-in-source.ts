import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A place in the source that makes an error with a code. */
export interface ErrorCodeUse {
  readonly code: string;
  /** File, below the repository. */
  readonly file: string;
  /** The status that stands beside the code, where one does. */
  readonly statusCode?: number;
}

const isProduct = (file: string): boolean =>
  !/\.test(-d)?\.ts$|\/__tests__\/|\/e2e\/|\/error-codes\.ts$/.test(file.replaceAll('\\', '/'));

const quoted = /(?<!=== )'(BF_[A-Z_]+)'/g;
/** Codes that are not our own pattern: Bifrost's names. Dialects have codes of their providers, which are not ours. */
const literal = /(?:\bcode:|[cC]ode =) '([a-z]+(?:_[a-z]+)+)'/g;

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\/|(?<=^|[\s;{(,])\/\/.*$/gm, '');
}

/** The status within the same object literal, before or after the code. */
function statusBeside(text: string, start: number): number | undefined {
  const open = text.lastIndexOf('{', start);
  const close = text.slice(start).search(/[{}]/);
  const around = text.slice(open, close === -1 ? undefined : start + close);
  if ((around.match(/\bcode:/g) ?? []).length > 1) return undefined;
  const match = /\bstatusCode: (\d{3})\b/.exec(around);
  return match === null ? undefined : Number(match[1]);
}

/** Every error code that the product source below `folder` makes, one entry for each place. */
export function errorCodesInSource(repository: string, folder: string): readonly ErrorCodeUse[] {
  const files = globSync(`${folder}/**/*.ts`, { cwd: repository }).filter(isProduct);
  return files.toSorted().flatMap((file) => {
    const text = withoutComments(readFileSync(join(repository, file), 'utf8'));
    const own = [...text.matchAll(quoted)];
    const others = file.includes('dialects') ? [] : [...text.matchAll(literal)];
    return [...own, ...others].map((match) => {
      const statusCode = statusBeside(text, match.index);
      return { code: match[1] ?? '', file, ...(statusCode === undefined ? {} : { statusCode }) };
    });
  });
}

/** Files that put a code together from parts, which no test could compare: expected to be none. */
export function assembledErrorCodes(repository: string, folder: string): readonly string[] {
  return globSync(`${folder}/**/*.ts`, { cwd: repository })
    .filter(isProduct)
    .filter((file) => /`BF_[A-Z_]*\$\{/.test(withoutComments(readFileSync(join(repository, file), 'utf8'))));
}
