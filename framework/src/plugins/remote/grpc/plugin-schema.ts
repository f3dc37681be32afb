/**
 * The messages of `bifrost_plugin.proto` and of gRPC's health service as protobufjs' JSON descriptors: the program carries no
 * `.proto` file, and a test holds this against the one that plugin authors compile.
 */

const field = (type: string, id: number): { type: string; id: number } => ({ type, id });
const list = (type: string, id: number): { rule: string; type: string; id: number } => ({ rule: 'repeated', type, id });

const call = {
  call: field('uint64', 1),
  request: field('uint64', 2),
  hook: field('string', 3),
  input: field('string', 4),
  attachments: list('bytes', 5),
  facts: field('string', 6),
  modelInfo: field('string', 7),
  values: list('Value', 8),
};

const messages = {
  DescribeRequest: { fields: { api: field('string', 1), protocols: list('uint32', 2) } },
  DescribeResponse: { fields: { description: field('string', 1), protocol: field('uint32', 2) } },
  InitRequest: { fields: { name: field('string', 1), config: field('string', 2) } },
  InitResponse: { fields: {} },
  ConfigViewRequest: { fields: { config: field('string', 1) } },
  ConfigViewResponse: { fields: { config: field('string', 1) } },
  CleanupRequest: { fields: {} },
  CleanupResponse: { fields: {} },
  LogsRequest: { fields: {} },
  LogLine: { fields: { level: field('string', 1), message: field('string', 2), fields: field('string', 3) } },
  HostMessages: { fields: { messages: list('HostMessage', 1) } },
  HostMessage: {
    oneofs: { kind: { oneof: ['call', 'abort', 'endRequest', 'pull', 'cancel'] } },
    fields: {
      call: field('Call', 1),
      abort: field('Abort', 2),
      endRequest: field('EndRequest', 3),
      pull: field('Pull', 4),
      cancel: field('Cancel', 5),
    },
  },
  Call: { fields: call },
  Value: { fields: { key: field('string', 1), value: field('string', 2) } },
  Abort: { fields: { call: field('uint64', 1), isExpired: field('bool', 2), reason: field('string', 3) } },
  EndRequest: { fields: { request: field('uint64', 1) } },
  Pull: { fields: { stream: field('uint64', 1) } },
  Cancel: { fields: { stream: field('uint64', 1) } },
  PluginMessages: { fields: { messages: list('PluginMessage', 1) } },
  PluginMessage: {
    oneofs: { kind: { oneof: ['reply', 'failure', 'event'] } },
    fields: { reply: field('Reply', 1), failure: field('Failure', 2), event: field('StreamEvent', 3) },
  },
  Reply: {
    fields: {
      call: field('uint64', 1),
      result: field('string', 2),
      attachments: list('bytes', 3),
      stream: field('uint64', 4),
      effects: field('Effects', 5),
    },
  },
  Failure: {
    fields: {
      call: field('uint64', 1),
      name: field('string', 2),
      message: field('string', 3),
      effects: field('Effects', 4),
    },
  },
  StreamEvent: {
    fields: {
      stream: field('uint64', 1),
      event: field('string', 2),
      isDone: field('bool', 3),
      error: field('string', 4),
      effects: field('Effects', 5),
    },
  },
  Effects: { fields: { values: list('Value', 1), attributes: list('Value', 2), routingNotes: list('string', 3) } },
};

/** Messages by their names in package `bifrost.plugin.v1`. */
export const pluginDescriptor = { nested: messages };

/** https://github.com/grpc/grpc/blob/master/doc/health-checking.md: what a client needs of it. */
export const healthDescriptor = {
  nested: {
    HealthCheckRequest: { fields: { service: field('string', 1) } },
    HealthCheckResponse: { fields: { status: field('int32', 1) } },
  },
};

/** `ServingStatus.NOT_SERVING` of the health service. */
export const notServing = 2;
