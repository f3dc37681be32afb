import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { writeTar } from '../__tests__/tar.ts';
import { ArchiveFault, readTar } from './read-tar.ts';

const long = `${'deep/'.repeat(25)}file-with-a-name.js`;

describe('an archive', () => {
  it.each(['--format=ustar', '--format=pax', '--format=gnu'])(
    'of tar %s has its files, long names included',
    (format) => {
      const folder = mkdtempSync(join(tmpdir(), 'bifrost-tar-'));
      try {
        // ustar holds 255 bytes, in two fields.
        mkdirSync(join(folder, 'p', long, '..'), { recursive: true });
        writeFileSync(join(folder, 'p', long), 'deep');
        writeFileSync(join(folder, 'p', 'grün.js'), 'export {};', { mode: 0o755 });
        execFileSync('tar', [format, '--sort=name', '-czf', 'p.tgz', 'p'], { cwd: folder });
        const files = readTar(gunzipSync(readFileSync(join(folder, 'p.tgz'))));
        expect(
          files.map(({ path, bytes, isExecutable }) => [path, Buffer.from(bytes).toString(), isExecutable]),
        ).toEqual([
          [`p/${long}`, 'deep', false],
          ['p/grün.js', 'export {};', true],
        ]);
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  );

  it.each<[string, Parameters<typeof writeTar>[0], string]>([
    ['a path upwards', [{ path: '../x' }], '"../x", which may lead elsewhere'],
    ['a path upwards inside', [{ path: 'a/../../x' }], 'which may lead elsewhere'],
    ['an absolute path', [{ path: '/etc/passwd' }], '"/etc/passwd", which may lead elsewhere'],
    ['a drive', [{ path: 'C:/x' }], 'which may lead elsewhere'],
    ['a backslash', [{ path: 'a\\..\\x' }], 'which may lead elsewhere'],
    [
      'a path upwards in an extended header',
      [{ path: 'h', type: 'x', content: '13 path=../x\n' }, { path: 'ok' }],
      '"../x"',
    ],
    ['a symbolic link', [{ path: 'a', type: '2', linkTarget: '/etc/passwd' }], 'a link (a)'],
    ['a hard link', [{ path: 'a', type: '1', linkTarget: 'b' }], 'a link (a)'],
    ['a device', [{ path: 'a', type: '3' }], 'an entry of type "3"'],
    ['the same file twice', [{ path: 'a' }, { path: 'A' }], 'the path A twice'],
    ['a file in the place of a folder', [{ path: 'a' }, { path: 'a/b' }], 'the path a/b twice'],
  ])('is refused with %s', (_what, entries, message) => {
    expect(() => readTar(writeTar(entries))).toThrow(message);
    expect(() => readTar(writeTar(entries))).toThrow(ArchiveFault);
  });

  it('is refused when it is cut off, or a header was changed', () => {
    const whole = writeTar([{ path: 'a', content: 'x'.repeat(600) }]);
    expect(() => readTar(whole.subarray(0, 900))).toThrow('it ends in the middle');
    expect(() => readTar(whole.subarray(0, 1536))).toThrow('it ends in the middle');
    const changed = Buffer.from(whole);
    changed[0] = 0x62;
    expect(() => readTar(changed)).toThrow('a header whose checksum is wrong');
  });

  it('that is anything is read or refused, and never leads out', () => {
    const path = fc.string({ unit: fc.constantFrom('a', '/', '.', '\\', 'é', '\n'), maxLength: 12 });
    const entry = fc.record({ path, content: fc.string(), type: fc.constantFrom('0', '5', 'x', 'L', 'g', '2') });
    fc.assert(
      fc.property(
        fc.array(entry, { maxLength: 4 }),
        fc.array(fc.tuple(fc.nat(3000), fc.nat(255)), { maxLength: 2 }),
        (entries, damage) => {
          const bytes = writeTar(entries);
          for (const [at, value] of damage) if (at < bytes.length) bytes[at] = value;
          try {
            for (const file of readTar(bytes)) {
              expect(file.path).not.toMatch(/^\/|\\|(^|\/)\.\.(\/|$)/);
            }
          } catch (error) {
            expect(error).toBeInstanceOf(ArchiveFault);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
