import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isCredential } from './credential-hash.ts';
import { adminToken, inferenceKey, openStoredCredential } from './stored-credential.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'admin-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe.each([adminToken, inferenceKey])('openStoredCredential of the $name', (kind) => {
  it('makes one once, keeps its hash alone, and knows it again', () => {
    const first = openStoredCredential(kind, { directory: join(directory, 'deep', 'down') });
    const token = first.newValue ?? '';
    expect(token).toMatch(/^(?:bfa_|sk-bf-)[\w-]{43}$/);
    expect(readFileSync(first.file ?? '', 'utf8')).not.toContain(token);
    expect(statSync(first.file ?? '').mode & 0o777).toBe(0o600);
    const second = openStoredCredential(kind, { directory: join(directory, 'deep', 'down') });
    expect(second.newValue).toBeUndefined();
    expect([token, `${token}x`, ''].map((given) => isCredential(given, second.hash))).toEqual([true, false, false]);
  });

  it("takes the operator's own, and stores nothing then", () => {
    const credential = openStoredCredential(kind, { directory, given: 'a-token-of-my-own' });
    expect(isCredential('a-token-of-my-own', credential.hash)).toBe(true);
    expect(credential.file).toBeUndefined();
  });

  it.each(['', 'short'])('refuses "%s"', (given) => {
    expect(() => openStoredCredential(kind, { directory, given })).toThrow(/give at least 16/);
  });

  it('refuses a file that it cannot read instead of starting without a credential', () => {
    writeFileSync(join(directory, kind.fileName), '{}');
    expect(() => openStoredCredential(kind, { directory })).toThrow(`holds no hash of an ${kind.name}`);
  });

  it('says where it cannot be kept', () => {
    writeFileSync(join(directory, 'file'), '');
    const credential = openStoredCredential(kind, { directory: join(directory, 'file', 'below') });
    expect(credential.warning).toContain('for this run only');
    expect(isCredential(credential.newValue ?? '', credential.hash)).toBe(true);
  });
});
