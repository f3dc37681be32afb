/**
 * What one call into a WebAssembly plugin costs at 0.4 KB of JSON, beside what the JSON alone costs: `node wasm-call.bench.ts`.
 * CPU time, the median of eleven rounds, so that a neighbour on the machine counts little; compare rows of one run.
 */
import { committed } from './__tests__/example-files.ts';
import { openGuest } from './__tests__/open-guest.ts';

const rounds = 11;
const calls = 50_000;

const request = {
  method: 'POST',
  path: '/v1/chat/completions',
  query: {},
  headers: {
    'content-type': 'application/json',
    'user-agent': 'bench/1.0',
    authorization: `Bearer ${'a'.repeat(36)}`,
    accept: 'application/json, text/event-stream',
    'x-team': 'blue',
  },
};
const head = { statusCode: 200, headers: request.headers };
const chunk = {
  data: '{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"hello"},"finish_reason":null}]}',
  index: 3,
};
const event = { type: 'text-delta', part: '0', text: 'hello' };
const llm = { provider: 'mock', model: 'm', isStream: false, fallbacks: [] };

function median(work: () => unknown): number {
  for (let index = 0; index < calls; index += 1) work();
  const times = Array.from({ length: rounds }, () => {
    const start = process.cpuUsage();
    for (let index = 0; index < calls; index += 1) work();
    const { user, system } = process.cpuUsage(start);
    return (user + system) / calls;
  });
  return times.toSorted((a, b) => a - b)[Math.floor(rounds / 2)] ?? 0;
}

function report(what: string, work: () => unknown): void {
  console.log(`${what.padEnd(64)} ${median(work).toFixed(2).padStart(6)} us`);
}

const config = { stamp: 's', deniedModel: 'd', forbidden: ['w'] };
const c = await openGuest(committed('wasm-c'), { config });
const rust = await openGuest(committed('wasm-rust'), { config });
const assemblyScript = await openGuest(committed('wasm-assemblyscript'), { config });
const bifrost = await openGuest(committed('wasm-bifrost-abi', 'guest-rust.wasm'), { config });
const one = c.context();

report('JSON.stringify and JSON.parse of the request, no guest', () => JSON.parse(JSON.stringify(request)));
report('C: request in, nothing out', () => c.call('httpTransportPreHook', request, one));
report('C: response head in, header out', () => c.call('httpTransportResponseHeadersHook', head, one));
report('C: chunk in, stamped chunk out', () => c.call('httpTransportStreamChunkHook', chunk, one));
report('Rust: stream event in, nothing out', () => rust.call('streamEventHook', event, one));
report('Rust: text-end in, two events out', () => rust.call('streamEventHook', { type: 'text-end', part: '0' }, one));
report('AssemblyScript: request head in, nothing out', () => assemblyScript.call('preLLMHook', llm, one));
report('AssemblyScript: HTTP request in, nothing out', () =>
  assemblyScript.call('httpTransportPreAuthHook', request, one),
);
report("Bifrost's ABI, Rust: HTTP request in, whole request out", () =>
  bifrost.call('httpTransportPreHook', request, one),
);
