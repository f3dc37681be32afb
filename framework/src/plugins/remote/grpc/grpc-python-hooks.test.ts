/** The Python server that authors copy: hooks of one thread, those that wait beside the others, one that does not return. */
import { copyFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { pluginFolder } from '../../__tests__/plugin-folder.ts';
import { exampleDirectory, facts, startProgram, TestSession } from './__tests__/grpc-session.ts';
import type { StartedPlugin } from './__tests__/grpc-session.ts';

const python = '/usr/bin/python3';

const plugin = `
import asyncio
from bifrost_plugin import Plugin, serve

class Waiting(Plugin):
    name = "waiting"
    hooks = {"preRequestHook": {}, "preLLMHook": {}, "httpTransportResponseHeadersHook": {}}
    is_released = False

    async def preRequestHook(self, call, request):
        while not self.is_released:
            await asyncio.sleep(0.001)
        if request["model"] == "broken":
            raise ValueError("no such model")
        return {"model": f'{call.facts["path"]} {request["model"]}'}

    def httpTransportResponseHeadersHook(self, call, head):
        self.is_released = True
        return {"headers": {"x-released": "yes"}}

    def preLLMHook(self, call, request):
        while True:
            pass

serve(Waiting())
`;

const folder = pluginFolder();
afterAll(() => folder[Symbol.dispose]());

function start(healthEveryMs = 5000): Promise<StartedPlugin> {
  folder.write({ 'plugin.py': plugin });
  for (const file of ['bifrost_plugin.py', 'bifrost_plugin_pb2.py'])
    copyFileSync(join(exampleDirectory('grpc-python'), file), join(folder.path, file));
  return startProgram({ command: python, args: ['plugin.py'], directory: folder.path }, { healthEveryMs });
}

describe.skipIf(!existsSync('/usr/lib/python3/dist-packages/grpc'))('hooks in Python', () => {
  it('run beside one that waits, and are answered before it', async () => {
    await using started = await start();
    using session = await TestSession.of(started.plugin);
    const order: string[] = [];
    const waiting = session.call('preRequestHook', { model: 'm' }, 1).finally(() => order.push('waiting'));
    const plain = session
      .call('httpTransportResponseHeadersHook', { statusCode: 200, headers: {} }, 2)
      .finally(() => order.push('plain'));
    expect(await plain).toMatchObject({ value: { headers: { 'x-released': 'yes' } } });
    expect(await waiting).toMatchObject({ kind: 'reply', value: { model: `${facts.path} m` } });
    expect(order).toEqual(['plain', 'waiting']);
  });

  it('fail for their call alone where they fail after they waited', async () => {
    await using started = await start();
    using session = await TestSession.of(started.plugin);
    const calls = ['broken', 'm'].map((model, index) => session.call('preRequestHook', { model }, index));
    await session.call('httpTransportResponseHeadersHook', { statusCode: 200, headers: {} }, 3);
    expect(await Promise.all(calls)).toMatchObject([
      { kind: 'threw', thrown: { name: 'ValueError', message: 'no such model' } },
      { kind: 'reply' },
    ]);
  });

  it('are left without a word when the gateway leaves, also where one waits', async () => {
    await using started = await start();
    const session = await TestSession.of(started.plugin);
    void session.call('preRequestHook', { model: 'm' });
    session[Symbol.dispose]();
    using other = await TestSession.of(started.plugin);
    await other.call('httpTransportResponseHeadersHook', { statusCode: 200, headers: {} });
    await started.plugin.close();
    expect(started.lines.filter((line) => !line.startsWith('debug'))).toEqual([]);
  });

  it('that do not return end the program: it is not serving any more', async () => {
    await using started = await start(300);
    const exit = new Promise<string>((resolve) => started.plugin.onExit(({ reason }) => resolve(reason)));
    using session = await TestSession.of(started.plugin);
    void session.call('preLLMHook', { model: 'm' });
    expect(await exit).toContain('did not serve in 3 health checks');
  });
});
