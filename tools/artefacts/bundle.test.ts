/** The bundle that `make run` starts. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { bundleProgram } from '../build/bundle-program.ts';
import { writeBundle } from '../build/write-bundle.ts';
import { assertBuiltins } from './assert-builtins.ts';

const folder = mkdtempSync(join(tmpdir(), 'bifrost-bundle-'));
const stamp = { kind: 'bundle', version: '0.0.0', commit: 'unknown', buildTime: 'unknown' } as const;
beforeAll(async () => writeBundle(folder, await bundleProgram(stamp)));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the bundle of the program', () => {
  it.each(['inline', 'worker', 'process'])('has the built-in plugins: each acts on requests, %s', (isolation) =>
    assertBuiltins([process.execPath, join(folder, 'main.js')], isolation),
  );
});
