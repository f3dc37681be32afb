import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { assembledErrorCodes, errorCodesInSource } from './error-codes-in-source.ts';
import { errorCatalogues } from './error-catalogues.ts';
import { references } from './references.ts';

const repository = join(import.meta.dirname, '..');

it.each([...references])('%s is fresh (else run: node tools/write-references.ts)', (path, format) => {
  expect(readFileSync(join(repository, path), 'utf8')).toBe(format());
});

describe.each(errorCatalogues)('error codes of $folder', ({ folder, catalogue }) => {
  const uses = errorCodesInSource(repository, folder);

  it('are all in the catalogue', () => {
    const missing = uses.filter(({ code }) => !(code in catalogue)).map(({ code, file }) => `${code} in ${file}`);
    expect(missing).toEqual([]);
  });

  it('are all made somewhere', () => {
    const made = new Set(uses.map(({ code }) => code));
    expect(Object.keys(catalogue).filter((code) => !made.has(code))).toEqual([]);
  });

  it('have the status that the catalogue says', () => {
    const wrong = uses.filter(({ code, statusCode }) => {
      const stated = catalogue[code]?.status;
      return statusCode !== undefined && typeof stated === 'number' && stated !== statusCode;
    });
    expect(wrong).toEqual([]);
  });

  it('are not put together from parts', () => {
    expect(assembledErrorCodes(repository, folder)).toEqual([]);
  });
});

it('finds codes and the status beside them, not those of comments and comparisons', () => {
  const uses = errorCodesInSource(repository, 'core/src');
  expect(uses).toContainEqual({ code: 'BF_QUEUE_FULL', file: 'core/src/reliability/gate.ts', statusCode: 429 });
  expect(uses).toContainEqual({ code: 'request_timed_out', file: 'core/src/pipeline/attempt-errors.ts' });
  expect(errorCodesInSource(repository, 'transports/http/src').map(({ code }) => code)).not.toContain(
    'BF_CONFIG_INVALID',
  );
});

it('states every code in one catalogue only', () => {
  const codes = errorCatalogues.flatMap(({ catalogue }) => Object.keys(catalogue));
  expect(codes).toHaveLength(new Set(codes).size);
});
