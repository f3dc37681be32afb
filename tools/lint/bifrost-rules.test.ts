import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isSharedCode, layeringViolation } from './bifrost-rules.js';

const file = (path: string): string => resolve(import.meta.dirname, '../..', path);

describe('layering', () => {
  it('lets core import the sdk, and nothing above it', () => {
    expect(layeringViolation(file('core/src/a.ts'), '@bifrost/sdk')).toBeUndefined();
    expect(layeringViolation(file('core/src/a.ts'), '@bifrost/framework')).toMatch(
      /may not import @bifrost\/framework/,
    );
    expect(layeringViolation(file('core/src/a.ts'), '@bifrost/testkit')).toMatch(/may not import/);
  });
  it('lets a test reach further than the source beside it', () => {
    expect(layeringViolation(file('core/src/a.test.ts'), '@bifrost/testkit')).toBeUndefined();
  });
  it('keeps a plugin on the sdk alone', () => {
    expect(layeringViolation(file('examples/plugins/x/index.ts'), '@bifrost/core')).toMatch(/may not import/);
    expect(layeringViolation(file('examples/plugins/x/index.ts'), '@bifrost/sdk')).toBeUndefined();
  });
  it('keeps relative imports inside their package, and providers apart', () => {
    expect(layeringViolation(file('core/src/a.ts'), '../../sdk/src/index.ts')).toMatch(/may not leave/);
    expect(layeringViolation(file('core/src/providers/groq/a.ts'), '../xai/b.ts')).toMatch(/another provider/);
  });
});

describe('no provider name in shared code', () => {
  it('covers the engine and spares providers, dialects and tests', () => {
    expect(isSharedCode(file('core/src/pipeline/run.ts'))).toBe(true);
    expect(isSharedCode(file('core/src/providers/groq/index.ts'))).toBe(false);
    expect(isSharedCode(file('core/src/pipeline/run.test.ts'))).toBe(false);
  });
});
