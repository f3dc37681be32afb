import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { toConfigJsonSchema } from '../framework/src/config/index.ts';
import type { LoadedConfig } from '../framework/src/config/index.ts';
import { loadProgramConfig } from '../transports/http/src/index.ts';

const repository = join(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(repository, path), 'utf8');
const page = read('docs/reference/configuration.md');

function jsonBlocks(text: string): readonly string[] {
  return [...text.matchAll(/^```json\n([\s\S]*?)^```/gm)].map((match) => match[1] ?? '');
}

/** Loads a configuration as the program does; every variable that it refers to is set, and there is a folder for plugins. */
async function load(text: string): Promise<LoadedConfig> {
  const folder = mkdtempSync(join(tmpdir(), 'bifrost-docs-'));
  try {
    const path = join(folder, 'config.json');
    writeFileSync(path, text);
    mkdirSync(join(folder, 'plugins'), { mode: 0o755 });
    const names = [...text.matchAll(/"env\.(\w+)"/g)].map((match) => match[1] ?? '');
    const environment = Object.fromEntries(names.map((name) => [name, `value of ${name}`]));
    return await loadProgramConfig({ path, environment });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe.each(['README.md', 'docs/reference/configuration.md', 'docs/reliability.md'])(
  'configurations of %s',
  (file) => {
    const blocks = jsonBlocks(read(file));

    it('are there', () => expect(blocks.length).toBeGreaterThan(0));

    it.each(blocks)('are taken whole, with nothing unknown and nothing unused: %#', async (text) => {
      const config = await load(text);
      expect(config.notes.filter(({ message }) => !message.startsWith('plugins in '))).toEqual([]);
      expect([...config.providers.keys()]).toEqual(
        expect.arrayContaining(Object.keys(JSON.parse(text).providers ?? {})),
      );
    });
  },
);

const pluginPages = globSync('{docs/plugins,plugins/*,examples/plugins/*}/*.md', { cwd: repository });
const pluginBlocks = pluginPages.flatMap((file) =>
  jsonBlocks(read(file))
    .filter((text) => /"plugin(s|_trust)":/.test(text))
    .map((text) => [file, text] as const),
);

describe('entries of plugins in the pages', () => {
  it('are there', () => expect(pluginBlocks.length).toBeGreaterThan(10));

  it.each(pluginBlocks)('have known keys and values: %s %#', async (_file, text) => {
    const config = await load(text);
    expect(config.notes).toEqual([]);
    expect(config.plugins.length).toBe((JSON.parse(text).plugins ?? []).length);
  });
});

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
}

/** Names of all keys below a schema; request types and the members of alias objects are not worth a line each. */
function keysOf(schema: Schema): readonly string[] {
  const own = Object.entries(schema.properties ?? {}).flatMap(([name, below]) =>
    ['allowed_requests', 'aliases'].includes(name) ? [name] : [name, ...keysOf(below)],
  );
  const { additionalProperties: others, items } = schema;
  return [...own, ...(typeof others === 'object' ? keysOf(others) : []), ...(items === undefined ? [] : keysOf(items))];
}

describe('docs/reference/configuration.md', () => {
  it('names every key that the schema takes', () => {
    const keys = new Set(keysOf(toConfigJsonSchema()));
    expect(keys.size).toBeGreaterThan(100);
    const examples = new Set(['model_name']);
    expect([...keys].filter((key) => !page.includes(`\`${key}\``) && !examples.has(key))).toEqual([]);
  });

  it('states the defaults that hold', async () => {
    const { client, providers } = await load('{"providers":{"openai":{"keys":[{"value":"sk"}]}}}');
    const provider = providers.get('openai');
    const network = provider?.network;
    const [key] = provider?.keys ?? [];
    const facts: Readonly<Record<string, unknown>> = {
      max_request_body_size_mb: client.maxRequestBodyBytes / 1024 / 1024,
      drop_excess_requests: client.dropExcessRequests,
      keep_alive_comment_in_seconds: client.keepAliveCommentSeconds,
      allowed_origins: client.allowedOrigins,
      required_headers: client.requiredHeaders,
      models: key?.models,
      blacklisted_models: key?.blacklistedModels,
      weight: key?.weight,
      aliases: key?.aliases,
      enabled: key?.isEnabled,
      extra_headers: network?.extraHeaders,
      default_request_timeout_in_seconds: Number(network?.firstContentTimeoutMs) / 1000,
      stream_idle_timeout_in_seconds: Number(network?.streamIdleTimeoutMs) / 1000,
      connect_timeout_in_seconds: Number(network?.connectTimeoutMs) / 1000,
      request_deadline_in_seconds: Number(network?.totalTimeoutMs) / 1000,
      max_retries: network?.maxRetries,
      retry_backoff_initial: network?.retryBackoffInitialMs,
      retry_backoff_max: network?.retryBackoffMaxMs,
      keep_alive_timeout_in_seconds: Number(network?.keepAliveTimeoutMs) / 1000,
      max_conns_per_host: network?.maxConnectionsPerHost,
      insecure_skip_verify: network?.isTlsVerificationOff,
    };
    const stated = Object.fromEntries(
      Object.keys(facts).map((name) => [name, new RegExp(`^\\| \`${name}\` +\\| \`([^\`]*)\``, 'm').exec(page)?.[1]]),
    );
    const held = Object.fromEntries(Object.entries(facts).map(([name, value]) => [name, JSON.stringify(value)]));
    expect(stated).toEqual(held);
    expect(page).toContain(`default \`${provider?.concurrency}\``);
    expect(page).toContain(`default \`${provider?.queueSize}\``);
  });
});
