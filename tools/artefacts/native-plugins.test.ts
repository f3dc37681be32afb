import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildExample, missingTool } from '../../framework/src/plugins/artefacts/native/__tests__/native-builds.ts';
import { dynamicExecutable, portableExecutable } from './executables.ts';
import { complete, runGateway } from './run-gateway.ts';

const examples = ['native-c', 'native-rust', 'native-go'] as const;
const folder = mkdtempSync(join(tmpdir(), 'bifrost-native-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe.each(examples)('the example %s', (example) => {
  const missing = missingTool(example);
  let args: readonly string[] = [];
  beforeAll(() => {
    if (missing !== undefined) return;
    const path = buildExample(example);
    const config = join(folder, `${example}.json`);
    writeFileSync(
      config,
      JSON.stringify({ plugins: [{ name: example, path, enabled: true, config: { stamp: 'k7' } }] }),
    );
    args = ['-config', config, '-app-dir', folder];
  }, 180_000);

  it.skipIf(missing !== undefined)(
    'is loaded by the dynamic executable',
    async () => {
      await using gateway = await runGateway([await dynamicExecutable()], { args });
      await gateway.until(new RegExp(`Plugin loaded successfully: ${example}`));
      const { response } = await complete(gateway.url);
      expect(response.headers.get(`x-${example}`)).toBe('k7');
    },
    180_000,
  );

  it.skipIf(missing !== undefined)(
    'is refused by the portable executable, which says what to do and serves',
    async () => {
      await using gateway = await runGateway([await portableExecutable()], { args });
      await gateway.until(
        /this gateway is the portable build, which loads no native code: build the gateway with `make build DYNAMIC=1`/,
      );
      expect((await complete(gateway.url)).response.status).toBe(200);
    },
    180_000,
  );
});
