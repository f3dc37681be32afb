/** The native examples in the running gateway, each with its own config.json, as its README starts it. */
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  buildExample,
  missingTool,
  nativeExamples,
} from '../../framework/src/plugins/artefacts/native/__tests__/native-builds.ts';
import type { NativeExample } from '../../framework/src/plugins/artefacts/native/__tests__/native-builds.ts';
import { Program } from '../../transports/http/src/__tests__/program.ts';

/** A folder as that of the example after `make`. */
function builtExample(example: NativeExample): { readonly path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), 'bifrost-native-test-'));
  const library = buildExample(example);
  copyFileSync(join(import.meta.dirname, example, 'config.json'), join(path, 'config.json'));
  copyFileSync(library, join(path, `plugin${extname(library)}`));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) };
}

const stamps: Readonly<Record<NativeExample, string>> = {
  'native-c': 'c1',
  'native-rust': 'rust1',
  'native-go': 'go1',
  'native-addon': 'addon1',
};

describe.each(nativeExamples)('%s in the gateway', (example) => {
  it.skipIf(missingTool(example) !== undefined)(
    'is loaded in both threads, stamps a stream, puts its header, refuses by its config, and is cleaned up',
    async () => {
      using folder = builtExample(example);
      const flags = [
        '-config',
        join(folder.path, 'config.json'),
        '-app-dir',
        folder.path,
        '-port',
        '0',
        '-threads',
        '2',
      ];
      await using gateway = new Program(flags);
      const origin = await gateway.ready();
      expect(gateway.stdout + gateway.stderr).toContain(`Plugin loaded successfully: ${example}`);
      const ask = (content: string, model = 'mock/hello', stream = true): Promise<Response> =>
        fetch(`${origin}/v1/chat/completions`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ model, stream, messages: [{ role: 'user', content }] }),
        });
      const stamp = stamps[example];
      for (let request = 0; request < 6; request++) {
        const response = await ask('Hi');
        expect(response.status).toBe(200);
        expect(response.headers.get(`x-${example}`)).toBe(stamp);
        expect(await response.text()).toContain(`[${stamp}]`);
      }
      const denied = await ask('a swordfish', 'mock/forbidden', false);
      expect(denied.status).toBe(403);
      expect(await denied.text()).toContain('not allowed here');
      const whole = await ask('Hi', 'mock/hello', false);
      const text = await whole.text();
      expect([whole.status, whole.headers.get(`x-${example}`)]).toEqual([200, stamp]);
      expect(text.endsWith('\n')).toBe(example !== 'native-addon');
      gateway.child.kill('SIGTERM');
      expect(await gateway.exited).toBe(0);
      // One counter for both threads: eight requests, however they were spread.
      expect(gateway.stdout + gateway.stderr).toMatch(/"count":\s?8|count=8|request number 8/);
    },
    120_000,
  );
});
