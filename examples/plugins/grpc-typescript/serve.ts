/** What every plugin of this kind needs: the server, the handshake line, sessions. The hooks are in `plugin.ts`. */
import { join } from 'node:path';
import { loadPackageDefinition, Server, ServerCredentials } from '@grpc/grpc-js';
import type { sendUnaryData, ServerDuplexStream, ServerUnaryCall, ServiceDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
// Types only: the program needs nothing of the gateway when it runs.
import type { HookHandlers, HookName, HookOptionsData, Json, JsonObject, RequestFacts } from '@bifrost/sdk';

/** What a hook gets: the request's facts, the plugin's configuration, a store for this request. */
export interface Call {
  readonly facts: Partial<RequestFacts>;
  readonly config: JsonObject;
  readonly state: Map<string, Json>;
}

/** A hook: gets its input, returns what changes, or nothing. */
export interface Hook<Name extends HookName> {
  readonly options?: HookOptionsData;
  run(call: Call, input: Parameters<HookHandlers[Name]>[1]): ReturnType<HookHandlers[Name]>;
}

export interface GrpcPlugin {
  readonly name: string;
  readonly version: string;
  readonly guard?: boolean;
  readonly hooks: { readonly [Name in HookName]?: Hook<Name> };
  init?(config: JsonObject): void;
  /** What the gateway stores in the place of a config of this plugin (a reference instead of a secret, say). */
  marshalConfigForStorage?(config: JsonObject): JsonObject;
  /** What the gateway's admin API shows in its place. */
  redactConfig?(config: JsonObject): JsonObject;
  cleanup?(): void;
}

interface CallMessage {
  readonly call: number;
  readonly request: number;
  readonly hook: HookName;
  readonly input: string;
  readonly facts: string;
}

interface HostMessage {
  readonly call?: CallMessage;
  readonly endRequest?: { readonly request: number };
}

interface RequestState {
  facts: Partial<RequestFacts>;
  readonly state: Map<string, Json>;
}

type Session = ServerDuplexStream<{ readonly messages: readonly HostMessage[] }, object>;

function parse(text: string): JsonObject {
  return text === '' ? {} : (JSON.parse(text) as JsonObject);
}

/** Serves one session: each call is answered when its hook has returned. */
function serveSession(plugin: GrpcPlugin, session: Session, config: Call['config']): void {
  const requests = new Map<number, RequestState>();
  const answer = async ({ call, request, hook, input, facts }: CallMessage): Promise<object> => {
    const known = requests.get(request) ?? { facts: {}, state: new Map<string, Json>() };
    if (facts !== '') known.facts = parse(facts);
    requests.set(request, known);
    try {
      const declared = plugin.hooks[hook] as { run(call: Call, input: unknown): unknown } | undefined;
      const result = await declared?.run({ ...known, config }, parse(input));
      return { reply: { call, result: result === undefined ? '' : JSON.stringify(result) } };
    } catch (error) {
      return { failure: { call, name: 'Error', message: error instanceof Error ? error.message : String(error) } };
    }
  };
  let replies: object[] = [];
  // What is answered at once leaves in one message, as it came.
  const flush = (): void => {
    session.write({ messages: replies });
    replies = [];
  };
  const send = (reply: object): void => {
    if (replies.push(reply) === 1) process.nextTick(flush);
  };
  session.on('data', ({ messages }: { readonly messages: readonly HostMessage[] }) => {
    for (const message of messages) {
      if (message.endRequest !== undefined) requests.delete(message.endRequest.request);
      if (message.call !== undefined) void answer(message.call).then(send);
    }
  });
  session.on('end', () => session.end());
  session.on('error', () => undefined);
}

/** Which of the functions over configs the plugin has: the gateway calls no other. */
function viewsOf(plugin: GrpcPlugin): object {
  return {
    ...(plugin.marshalConfigForStorage === undefined ? {} : { marshalConfigForStorage: true }),
    ...(plugin.redactConfig === undefined ? {} : { redactConfig: true }),
  };
}

function viewMethod(plugin: GrpcPlugin, view: 'marshalConfigForStorage' | 'redactConfig') {
  return (call: ServerUnaryCall<{ readonly config: string }, object>, reply: sendUnaryData<object>): void => {
    try {
      const viewed = plugin[view]?.(parse(call.request.config));
      if (viewed === undefined) reply({ code: 12, details: 'the plugin has no such function' });
      else reply(null, { config: JSON.stringify(viewed) });
    } catch (error) {
      reply({ code: 13, details: error instanceof Error ? error.message : String(error) });
    }
  };
}

/** Serves `plugin` until the gateway ends it. */
export function serve(plugin: GrpcPlugin): void {
  if (process.env['BIFROST_PLUGIN'] !== '1') {
    console.error('This is a Bifrost plugin: the gateway starts it. See README.md.');
    process.exit(1);
  }
  const definition = loadSync(join(import.meta.dirname, 'bifrost_plugin.proto'), { longs: Number, defaults: false });
  const { Plugin } = (loadPackageDefinition(definition) as unknown as PluginPackage).bifrost.plugin.v1;
  let config: Call['config'] = {};
  const server = new Server({ 'grpc.max_receive_message_length': 67_108_864 });
  server.addService(Plugin.service, {
    describe(_call: ServerUnaryCall<object, object>, reply: sendUnaryData<object>) {
      const hooks = Object.fromEntries(
        Object.entries(plugin.hooks).map(([name, { options }]) => [name, options ?? {}]),
      );
      const { name, version, guard = false } = plugin;
      const stated = { name, version, api: '1.1', guard, hooks, ...viewsOf(plugin) };
      reply(null, { description: JSON.stringify(stated), protocol: 1 });
    },
    marshalConfigForStorage: viewMethod(plugin, 'marshalConfigForStorage'),
    redactConfig: viewMethod(plugin, 'redactConfig'),
    init(call: ServerUnaryCall<{ readonly config: string }, object>, reply: sendUnaryData<object>) {
      try {
        config = parse(call.request.config);
        plugin.init?.(config);
        reply(null, {});
      } catch (error) {
        reply({ code: 3, details: error instanceof Error ? error.message : String(error) });
      }
    },
    session: (session: Session) => serveSession(plugin, session, config),
    cleanup(_call: ServerUnaryCall<object, object>, reply: sendUnaryData<object>) {
      plugin.cleanup?.();
      reply(null, {});
    },
  });
  const socket = join(process.env['BIFROST_PLUGIN_SOCKET_DIR'] ?? '/tmp', 'plugin.sock');
  server.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), (error) => {
    if (error !== null) throw error;
    console.log(`1|1|unix|${socket}|grpc`);
  });
  // The gateway has gone, or wants the plugin to.
  process.stdin.resume().on('end', () => process.exit(0));
  process.on('SIGTERM', () => process.exit(0));
}

interface PluginPackage {
  readonly bifrost: { readonly plugin: { readonly v1: { readonly Plugin: { readonly service: ServiceDefinition } } } };
}
