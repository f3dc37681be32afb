/** The client of the plugin service, made from the descriptors: no code is generated and no file is read. */
import { makeGenericClientConstructor } from '@grpc/grpc-js';
import type {
  Channel,
  ChannelCredentials,
  ClientDuplexStream,
  ClientOptions,
  ClientReadableStream,
  MethodDefinition,
  ServiceDefinition,
  ServiceError,
} from '@grpc/grpc-js';
import protobuf from 'protobufjs/light.js';
import { healthDescriptor, pluginDescriptor } from './plugin-schema.ts';

/** Versions of `bifrost_plugin.proto` that this gateway speaks. */
export const protocolVersions: readonly number[] = [1];

const pluginTypes = protobuf.Root.fromJSON(pluginDescriptor);
const healthTypes = protobuf.Root.fromJSON(healthDescriptor);

/** Numbers as numbers (they count from 1 up), lists always there, bytes as they lie in the message. */
const toObjectOptions = { longs: Number, arrays: true, defaults: true } as const;

interface Shape {
  readonly types: protobuf.Root;
  readonly path: string;
}

/** In Node the writer makes buffers: they are not copied. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function method(
  { types, path }: Shape,
  [request, response]: readonly [request: string, response: string],
  streams: { readonly request?: boolean; readonly response?: boolean } = {},
): MethodDefinition<object, object> {
  const requestType = types.lookupType(request);
  const responseType = types.lookupType(response);
  const encode = (type: protobuf.Type) => (value: object) => asBuffer(type.encode(value).finish());
  const decode = (type: protobuf.Type) => (bytes: Buffer) => type.toObject(type.decode(bytes), toObjectOptions);
  return {
    path,
    requestStream: streams.request ?? false,
    responseStream: streams.response ?? false,
    requestSerialize: encode(requestType),
    requestDeserialize: decode(requestType),
    responseSerialize: encode(responseType),
    responseDeserialize: decode(responseType),
  };
}

const pluginMethod = (name: string): Shape => ({ types: pluginTypes, path: `/bifrost.plugin.v1.Plugin/${name}` });

/** The service; servers (in tests) are made of it too. */
export const pluginService = {
  describe: method(pluginMethod('Describe'), ['DescribeRequest', 'DescribeResponse']),
  init: method(pluginMethod('Init'), ['InitRequest', 'InitResponse']),
  session: method(pluginMethod('Session'), ['HostMessages', 'PluginMessages'], { request: true, response: true }),
  logs: method(pluginMethod('Logs'), ['LogsRequest', 'LogLine'], { response: true }),
  marshalConfigForStorage: method(pluginMethod('MarshalConfigForStorage'), ['ConfigViewRequest', 'ConfigViewResponse']),
  redactConfig: method(pluginMethod('RedactConfig'), ['ConfigViewRequest', 'ConfigViewResponse']),
  cleanup: method(pluginMethod('Cleanup'), ['CleanupRequest', 'CleanupResponse']),
} satisfies ServiceDefinition;

/** gRPC's health service. */
export const healthService = {
  check: method({ types: healthTypes, path: '/grpc.health.v1.Health/Check' }, [
    'HealthCheckRequest',
    'HealthCheckResponse',
  ]),
} satisfies ServiceDefinition;

type Callback = (error: ServiceError | null, response: Readonly<Record<string, unknown>>) => void;

interface CallOptions {
  /** Milliseconds since 1970. */
  readonly deadline?: number;
}

/** A connection to a plugin's server. */
export interface PluginClient {
  waitForReady(deadline: number, callback: (error?: Error) => void): void;
  describe(request: object, options: CallOptions, callback: Callback): void;
  init(request: object, options: CallOptions, callback: Callback): void;
  marshalConfigForStorage(request: object, options: CallOptions, callback: Callback): void;
  redactConfig(request: object, options: CallOptions, callback: Callback): void;
  cleanup(request: object, options: CallOptions, callback: Callback): void;
  check(request: object, options: CallOptions, callback: Callback): void;
  session(): ClientDuplexStream<object, object>;
  logs(request: object): ClientReadableStream<object>;
  getChannel(): Channel;
  close(): void;
}

const Client = makeGenericClientConstructor({ ...pluginService, ...healthService }, 'Plugin');

/** Makes a client; it connects with the first call. */
export function createPluginClient(
  address: string,
  credentials: ChannelCredentials,
  options: ClientOptions,
): PluginClient {
  // The constructor's type knows no methods: they are those of the definition above.
  return new Client(address, credentials, options) as unknown as PluginClient;
}
