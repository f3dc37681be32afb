/** What a gRPC plugin says of its config: what is stored of it, and what is shown. */
import { afterEach, describe, expect, it } from 'vitest';
import { configViewTimeoutMs } from '../../config-view.ts';
import { serve, stopServers } from './__tests__/far-plugin.ts';
import type { Behaviour } from './__tests__/far-plugin.ts';
import { collectingLog } from './__tests__/grpc-session.ts';
import { startGrpcPlugin } from './start-grpc-plugin.ts';
import type { RemotePlugin } from '../remote-plugin.ts';

afterEach(stopServers);

const both = '"marshalConfigForStorage":true,"redactConfig":true';

async function start(behaviour: Behaviour, views = both): Promise<RemotePlugin & AsyncDisposable> {
  const description = `{"name":"far","api":"1","hooks":{}${views === '' ? '' : `,${views}`}}`;
  const address = await serve({ description, ...behaviour });
  const plugin = await startGrpcPlugin({ name: 'p', address, config: {}, log: collectingLog().log });
  return Object.assign(plugin, { [Symbol.asyncDispose]: () => plugin.close() });
}

const config = { pass: 'open sesame', level: 1 };
const view = async (plugin: RemotePlugin, name: 'redactConfig' | 'marshalConfigForStorage'): Promise<unknown> =>
  plugin.viewConfig?.(name, config);

describe('the config views of a gRPC plugin', () => {
  it('are asked of the program, each with the config', async () => {
    await using plugin = await start({ view: (method, text) => JSON.stringify({ ...JSON.parse(text), pass: method }) });
    expect(plugin.description.configViews).toEqual(['marshalConfigForStorage', 'redactConfig']);
    expect(await view(plugin, 'redactConfig')).toEqual({ pass: 'shown', level: 1 });
    expect(await view(plugin, 'marshalConfigForStorage')).toEqual({ pass: 'stored', level: 1 });
  });

  it('are not asked of a program that does not describe them: one of before they were in the interface', async () => {
    await using plugin = await start({}, '');
    expect(plugin.description).not.toHaveProperty('configViews');
  });

  it('may be there one without the other', async () => {
    await using plugin = await start({ view: () => '{}' }, '"redactConfig":true,"marshalConfigForStorage":false');
    expect(plugin.description.configViews).toEqual(['redactConfig']);
  });

  it.each<readonly [string, Behaviour, string]>([
    [
      'describes what it has not',
      {},
      'its redactConfig is described, but the program has no such method (UNIMPLEMENTED)',
    ],
    ['answers with a list', { view: () => '[]' }, 'its redactConfig returned what is no JSON object'],
    ['answers with nothing', { view: () => '' }, 'its redactConfig returned what is no JSON object'],
    [
      'fails with the secret in its words',
      {
        view: (_method, text) => {
          throw new Error(text);
        },
      },
      'its redactConfig failed (INTERNAL; what it says is not told',
    ],
    [
      'does not answer',
      { view: () => new Promise<string>(() => undefined) },
      `its redactConfig did not settle within ${configViewTimeoutMs} ms`,
    ],
  ])('fail where the program %s', async (_what, behaviour, message) => {
    await using plugin = await start(behaviour);
    const said = await view(plugin, 'redactConfig').then(String, String);
    expect(said).toContain(message);
    expect(said).not.toContain('sesame');
  });
});
