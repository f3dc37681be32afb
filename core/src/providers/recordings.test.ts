import { createHash } from 'node:crypto';
import type { DialectName, JsonObject } from '@bifrost/sdk';
import { recordedBytes, recordingsOf, startReplayUpstream } from '@bifrost/testkit';
import type { Recording } from '@bifrost/testkit';
import { describe, expect, it } from 'vitest';
import { renderOddly } from '../json/__tests__/render-oddly.ts';
import { provider, routes, TestGateway } from '../pipeline/__tests__/harness.ts';
import { withoutUsageEvents } from '../pipeline/usage-events.ts';
import type { InboundRoute } from '../pipeline/seam.ts';
import { createCustomDefinition } from './custom.ts';
import { providerDefinitions } from './definitions.ts';

const dialects: Readonly<Record<string, DialectName>> = {
  'openai.chat_completions': 'openai-chat',
  'openai.responses': 'openai-responses',
  'openai.completions': 'openai-completions',
  'anthropic.messages': 'anthropic-messages',
  'google.generate_content': 'gemini-generate-content',
  'google.stream_generate_content': 'gemini-generate-content',
};
const sha = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest('hex');
const addedOption = /,"stream_options":\{"include_usage":true\}(?=\s*\}\s*$)/;

/** A small generator with a seed, so that a failure can be repeated. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return state / 0x80000000;
  };
}

function routeOf(recording: Recording, name: string): InboundRoute {
  const dialect = dialects[recording.api] as DialectName;
  const path = /models\/([^:]+):/.exec(recording.request?.path ?? '')?.[1];
  return {
    ...routes.openai,
    dialect,
    defaultProvider: name,
    ...(path === undefined
      ? {}
      : { pathModel: decodeURIComponent(path), pathStream: recording.stream, streamFraming: 'sse' as const }),
  };
}

function usable(one: Recording, name: string): boolean {
  const definition = providerDefinitions.get(name);
  const dialect = dialects[one.api];
  const isForm = typeof one.request?.body === 'object' && one.request.body !== null && !Array.isArray(one.request.body);
  return (
    isForm &&
    one.request?.body_encoding === 'json' &&
    definition?.surfaces.some((surface) => surface.dialect === dialect) === true &&
    one.response.body_encoding !== 'frames' &&
    one.response.stream_format !== 'json-array'
  );
}

const names = [...providerDefinitions.keys()].filter((name) => {
  try {
    return recordingsOf(name).some((one) => usable(one, name));
  } catch {
    return false; // no recordings of this provider
  }
});

describe.each(names)('%s', (name) => {
  it('gets every recorded request byte for byte, and its answers come back byte for byte', async () => {
    const recordings = recordingsOf(name).filter((one) => usable(one, name));
    await using upstream = await startReplayUpstream();
    await using gateway = new TestGateway({ providers: [provider(name, upstream.url)] });
    for (const [index, recording] of recordings.entries()) {
      upstream.reset();
      upstream.script([{ recording, delivery: { chunks: 1 + (index % 5) } }]);
      const random = seeded(index + 1);
      const body = renderOddly(recording.request?.body, random);
      const sink = await gateway.post(routeOf(recording, name), body, { path: recording.request?.path ?? '' });
      const sent = (upstream.requests[0]?.body ?? Buffer.alloc(0)).toString();
      const options = ((recording.request?.body ?? {}) as JsonObject)['stream_options'];
      if (options === undefined || sent === body)
        expect(sha(sent.replace(addedOption, '')), recording.id).toBe(sha(body));
      const wasAsked = sent.replace(addedOption, '') !== sent;
      const answered = recordedBytes(recording.response);
      const expected = wasAsked && recording.response.status === 200 ? withoutUsageEvents(answered) : answered;
      if ([401, 402, 403].includes(recording.response.status)) expect(sink.statusCode).toBe(502);
      else {
        expect(sink.statusCode, `${recording.id} ${sink.text.slice(0, 200)}`).toBe(recording.response.status);
        if (!recording.features.includes('mid_stream_error')) expect(sha(sink.text), recording.id).toBe(sha(expected));
      }
    }
    expect(recordings.length).toBeGreaterThan(0);
  });
});

describe('definitions', () => {
  it('are complete: https or loopback, a surface, an auth header', () => {
    for (const definition of providerDefinitions.values()) {
      if (definition.isEmbedded === true) continue;
      expect(definition.baseUrl, definition.name).toMatch(/^https:\/\/[^/]+[^ ]*[^/]$|^http:\/\/localhost:\d+$/);
      expect(definition.surfaces.length, definition.name).toBeGreaterThan(0);
      for (const surface of definition.surfaces) expect(surface.path.startsWith('/')).toBe(true);
    }
    expect(providerDefinitions.size).toBe(19);
  });

  it("of custom providers are their base's with another name and address", () => {
    const custom = createCustomDefinition('mine', {
      baseProviderType: 'openai',
      baseUrl: 'http://10.0.0.1/v1/',
      isKeyless: true,
      hasNoDoneMarker: true,
    });
    expect(custom).toMatchObject({ name: 'mine', baseUrl: 'http://10.0.0.1/v1', isKeyless: true });
    expect(custom.surfaces.every((surface) => surface.quirks?.noDoneMarker === true)).toBe(true);
    expect(() => createCustomDefinition('x', { baseProviderType: 'nothing' })).toThrow(
      'is based on "nothing", which is none of: openai',
    );
    expect(() => createCustomDefinition('x', { baseProviderType: 'mock' })).toThrow('none of');
  });
});
