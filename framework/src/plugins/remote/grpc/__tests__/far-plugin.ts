/** Plugins' servers in the process of the test, as remote ones. */
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { healthService, pluginService } from '../plugin-service.ts';

const servers: Server[] = [];

/** Ends all that were started; for `afterEach`. */
export function stopServers(): void {
  for (const server of servers.splice(0)) server.forceShutdown();
}

/** What the server of a test does otherwise than a good one. */
export interface Behaviour {
  readonly description?: string;
  readonly protocol?: number;
  readonly init?: () => void;
  readonly health?: () => number;
  /** Answers MarshalConfigForStorage and RedactConfig with JSON. @default neither method is there, as in a program of before they were */
  readonly view?: (method: 'stored' | 'shown', config: string) => string | Promise<string>;
  readonly session?: (session: NodeJS.EventEmitter & { write(value: object): void; end(): void }) => void;
}

type Reply = (error: object | null, value?: object) => void;

function answeringView(view: (config: string) => string | Promise<string>) {
  return async (call: { readonly request: { readonly config: string } }, reply: Reply): Promise<void> => {
    try {
      reply(null, { config: await view(call.request.config) });
    } catch (error) {
      reply({ code: 13, details: String(error) });
    }
  };
}

/** A plugin's server in this process, as a remote one; resolves with its address. */
export function serve(behaviour: Behaviour = {}): Promise<string> {
  const description = behaviour.description ?? '{"name":"far","api":"1","hooks":{"preRequestHook":{}}}';
  const server = new Server();
  servers.push(server);
  const { marshalConfigForStorage, redactConfig, ...older } = pluginService;
  const { health, view } = behaviour;
  server.addService(view === undefined ? older : { ...older, marshalConfigForStorage, redactConfig }, {
    describe: (_call: object, reply: Reply) => reply(null, { description, protocol: behaviour.protocol ?? 1 }),
    init: (_call: object, reply: Reply) => {
      try {
        behaviour.init?.();
        reply(null, {});
      } catch (error) {
        reply({ code: 3, details: String(error) });
      }
    },
    ...(view === undefined
      ? {}
      : {
          marshalConfigForStorage: answeringView((config) => view('stored', config)),
          redactConfig: answeringView((config) => view('shown', config)),
        }),
    cleanup: (_call: object, reply: Reply) => reply(null, {}),
    session: behaviour.session ?? (() => undefined),
    logs: (call: { write(value: object): void }) =>
      call.write({ level: 'warn', message: 'from far', fields: '{"a":1}' }),
  } as never);
  if (health !== undefined) {
    server.addService(healthService, {
      check: (_call: object, reply: Reply) => reply(null, { status: health() }),
    } as never);
  }
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
      if (error === null) resolve(`127.0.0.1:${port}`);
      else reject(error);
    });
  });
}
