import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openAdminCredential } from './admin-credential.ts';
import { isAdminToken } from './admin-token.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'admin-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe('openAdminCredential', () => {
  it('makes a token once, keeps its hash alone, and knows it again', () => {
    const first = openAdminCredential({ directory: join(directory, 'deep', 'down') });
    const token = first.newToken ?? '';
    expect(token).toMatch(/^bfa_[\w-]{43}$/);
    expect(readFileSync(first.file ?? '', 'utf8')).not.toContain(token);
    expect(statSync(first.file ?? '').mode & 0o777).toBe(0o600);
    const second = openAdminCredential({ directory: join(directory, 'deep', 'down') });
    expect(second.newToken).toBeUndefined();
    expect([token, `${token}x`, ''].map((given) => isAdminToken(given, second.hash))).toEqual([true, false, false]);
  });

  it("takes the operator's own, and stores nothing then", () => {
    const credential = openAdminCredential({ directory, given: 'a-token-of-my-own' });
    expect(isAdminToken('a-token-of-my-own', credential.hash)).toBe(true);
    expect(credential.file).toBeUndefined();
  });

  it.each(['', 'short'])('refuses the token "%s"', (given) => {
    expect(() => openAdminCredential({ directory, given })).toThrow(/give at least 16/);
  });

  it('refuses a file that it cannot read instead of starting without a credential', () => {
    writeFileSync(join(directory, 'admin-token.json'), '{}');
    expect(() => openAdminCredential({ directory })).toThrow(/holds no hash of an admin token/);
  });

  it('says where the token cannot be kept', () => {
    writeFileSync(join(directory, 'file'), '');
    const credential = openAdminCredential({ directory: join(directory, 'file', 'below') });
    expect(credential.warning).toContain('for this run only');
    expect(isAdminToken(credential.newToken ?? '', credential.hash)).toBe(true);
  });
});
