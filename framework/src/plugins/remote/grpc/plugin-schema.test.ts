import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { pluginDescriptor } from './plugin-schema.ts';

const root = new URL('../../../../../', import.meta.url);
const stated = readFileSync(new URL('sdk/grpc/bifrost_plugin.proto', root), 'utf8');

interface Descriptor {
  readonly nested: Readonly<Record<string, unknown>>;
}

/** The messages alone, without the service and what a parser notes beside them. */
function messagesOf(descriptor: Descriptor): unknown {
  const messages = Object.entries(descriptor.nested).filter(([, type]) => Object(type).methods === undefined);
  return JSON.parse(
    JSON.stringify(Object.fromEntries(messages), (key, value: unknown) =>
      key === 'edition' || key === 'options' ? undefined : value,
    ),
  );
}

describe('the descriptors of the plugin service', () => {
  it('say what bifrost_plugin.proto says', () => {
    const parsed = protobuf.parse(stated).root.toJSON() as unknown as {
      nested: { bifrost: { nested: { plugin: { nested: { v1: Descriptor } } } } };
    };
    expect(messagesOf(parsed.nested.bifrost.nested.plugin.nested.v1)).toEqual(messagesOf(pluginDescriptor));
  });

  it.each(['grpc-typescript', 'grpc-python'])('are those that the example %s is compiled from', (example) => {
    expect(readFileSync(new URL(`examples/plugins/${example}/bifrost_plugin.proto`, root), 'utf8')).toBe(stated);
  });
});
