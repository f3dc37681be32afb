/* oxlint-disable max-lines-per-function -- a table of cases */
/** Plugins that are refused for their manifest, digest, signature or origin, and modules that fail when they are loaded. */
import { expect } from 'vitest';
import { sha256Of, toIntegrity } from '../download/integrity.ts';
import { generateSigningKeys, signManifest } from '../signature/sign-manifest.ts';
import { all, hostMessage } from './failure-bench.ts';
import type { Case, FailureBench } from './failure-bench.ts';
import { writeTgz } from './tar.ts';

export function supplyCases(bench: FailureBench): Readonly<Record<string, Case>> {
  const { messageFor, pluginIn, server, write } = bench;
  const keys = generateSigningKeys();
  const trust = { keys: { me: keys.publicKey }, isSignatureRequired: true };
  const digest = toIntegrity(sha256Of(Buffer.from('export {};')));
  return {
    'A manifest that is wrong': {
      produce: async () => {
        const messages = await all(
          messageFor({
            path: pluginIn('wrong', {
              api: 'latest',
              verson: '1',
              hooks: { preLlmHook: {} },
              configSchema: { type: 'int' },
            }),
          }),
        );
        for (const part of [
          'unknown key "verson"; did you mean "version"?',
          'api: expected a version or range',
          'hooks: unknown key "preLlmHook"; did you mean "preLLMHook"?',
          'configSchema.type: expected one of null',
        ]) {
          expect(messages[0]).toContain(part);
        }
        return messages;
      },
    },
    'Another version of the plugin API': {
      produce: () => all(messageFor({ path: pluginIn('later', { api: '>=2.0' }) })),
    },
    'Another platform': {
      produce: () => all(messageFor({ path: pluginIn('mac', { platforms: ['darwin-arm64', 'win32-*'] }) })),
    },
    'A digest that does not fit': {
      produce: () => {
        const changed = pluginIn('changed', { integrity: `sha256-${'A'.repeat(43)}=` });
        return all(messageFor({ path: changed }), messageFor({ path: pluginIn('pinned', {}), sha256: 'a'.repeat(64) }));
      },
    },
    'A signature that does not fit': {
      produce: () => {
        const manifest = { name: 'tester', version: '1.2.0', api: '1', main: 'p.mjs', integrity: digest };
        const { signature } = signManifest(manifest, { id: 'me', privateKey: keys.privateKey });
        return all(messageFor({ path: pluginIn('forged', { integrity: digest, guard: true, signature }) }, { trust }));
      },
    },
    'A plugin that is not signed': {
      produce: () =>
        all(
          messageFor({ path: pluginIn('unsigned', {}) }, { trust }),
          messageFor({ path: write('alone.mjs', 'export {};') }, { trust }),
        ),
    },
    'A signature by an unknown key': {
      produce: () => {
        const signature = { keyId: 'mee', ed25519: 'AAAA' };
        return all(messageFor({ path: pluginIn('foreign', { integrity: digest, signature }) }, { trust }));
      },
    },
    'A config that is wrong': {
      produce: async () => {
        const configSchema = {
          properties: { limits: { type: 'array', items: { properties: { max: { type: 'number' } } } } },
        };
        const messages = await all(
          messageFor({ path: pluginIn('strict', { configSchema }), config: { limits: [{ max: 1 }, { max: 'x' }] } }),
        );
        expect(messages[0]).toContain('config.limits[1].max: expected a number, got a string');
        return messages;
      },
    },
    'A capability that is not granted': {
      produce: () => {
        const plugin = pluginIn('reader', { capabilities: { fs: { read: ['./rules/'] }, net: ['api.example.com'] } });
        return all(messageFor({ path: plugin, isolation: 'process' }));
      },
    },
    'No digest for a URL': { produce: () => all(messageFor({ path: `${server.origin()}/p.mjs` })) },
    'Not over https': { produce: () => all(messageFor({ path: 'http://plugins.example/p.mjs' })) },
    'A host in the own network': {
      produce: () => all(messageFor({ path: `${server.origin('other.example')}/p.mjs`, sha256: 'a'.repeat(64) })),
    },
    'A server that is not reached': {
      produce: () => {
        const download = { privateHosts: ['plugins.example'], resolveHost: async () => ['127.0.0.1'] };
        return all(messageFor({ path: `${server.origin()}/p.mjs`, sha256: 'a'.repeat(64) }, { download }));
      },
    },
    'A server that does not have it': {
      produce: () => all(messageFor({ path: `${server.origin()}/gone.mjs`, sha256: 'a'.repeat(64) })),
    },
    'An archive that is not unpacked': {
      produce: () => {
        const bytes = writeTgz([
          { path: 'package.json', content: '{}' },
          { path: 'a', type: '2', linkTarget: '/etc/passwd' },
        ]);
        server.answers.set('/p.tgz', (response) => void response.end(bytes));
        return all(messageFor({ path: `${server.origin()}/p.tgz`, sha256: sha256Of(bytes) }));
      },
    },
    'TypeScript in node_modules': {
      produce: () =>
        all(
          hostMessage(
            {
              'node_modules/tsp/package.json': '{"name":"tsp","type":"module","exports":"./index.ts"}',
              'node_modules/tsp/index.ts': 'export const preLLMHook = (): void => {};',
            },
            'tsp',
          ),
        ),
    },
    'TypeScript that is more than types': {
      produce: () => all(hostMessage({ 'p.ts': 'export enum Color { red }' }, './p.ts')),
    },
    'An alias of tsconfig.json': { produce: () => all(hostMessage({ 'p.ts': "import '@/lib/words';" }, './p.ts')) },
    'JSON without its type': {
      produce: () => all(hostMessage({ 'p.ts': "import words from './words.json';", 'words.json': '{}' }, './p.ts')),
    },
    'CommonJS and ES modules': {
      produce: () => {
        const files = { 'p/package.json': '{"type":"commonjs"}', 'p/p.js': 'export default {};' };
        return all(hostMessage(files, './p/p.js'));
      },
    },
    'No default export': {
      produce: () => all(hostMessage({ 'p.ts': 'export const plugin = { inject() {} };' }, './p.ts')),
    },
    'A misspelt hook': { produce: () => all(hostMessage({ 'p.ts': 'export default { preLlmHok() {} };' }, './p.ts')) },
  };
}
