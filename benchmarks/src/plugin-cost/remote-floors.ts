/** Bare echoes over what the transports use: a message port, a socket pair, an open stream of gRPC. The same values go over them. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { MessageChannel, Worker } from 'node:worker_threads';
import { credentials, makeGenericClientConstructor } from '@grpc/grpc-js';
import type { ClientDuplexStream, MethodDefinition } from '@grpc/grpc-js';
import { Answers } from './floor.ts';
import type { Floor } from './floor.ts';
import { facts, measuredHooks } from './measured-hooks.ts';
import type { MeasuredHook } from './measured-hooks.ts';
import { sources } from './trivial-plugins.ts';
import type { GrpcLanguage } from './trivial-plugins.ts';

const echoFile = join(import.meta.dirname, 'echo-thread.ts');

let calls = 0;

/** What the transports send for the first call of a request. */
function messageOf({ name, input }: MeasuredHook): readonly object[] {
  calls += 1;
  return [{ kind: 'call', call: calls, request: calls, hook: name, input, facts }];
}

export function workerFloor(): Floor {
  const { port1, port2 } = new MessageChannel();
  const worker = new Worker(echoFile, { workerData: { port: port2 }, transferList: [port2] });
  const answers = new Answers();
  port1.on('message', ([{ value }]: readonly [{ readonly value?: unknown }]) => answers.answer(value));
  return {
    call: (hook) => answers.ask(() => port1.postMessage(messageOf(hook))),
    close: () => void worker.terminate(),
  };
}

export function processFloor(): Floor {
  const child = spawn(process.execPath, [echoFile, 'process'], {
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
  });
  const socket = child.stdio[3] as Socket;
  const answers = new Answers();
  let rest = '';
  socket.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) answers.answer((JSON.parse(line) as readonly [{ readonly value?: unknown }])[0].value);
  });
  return {
    call: (hook) => answers.ask(() => socket.write(`${JSON.stringify(messageOf(hook))}\n`)),
    close: () => child.kill(),
  };
}

const bytes = (buffer: Buffer): Buffer => buffer;

function startEcho(language: GrpcLanguage, folder: string, socket: string): ChildProcess {
  const answers = JSON.stringify(measuredHooks.map(({ answer }) => answer));
  const [command, file] =
    language === 'grpc-python'
      ? ['/usr/bin/python3', join(sources, language, 'echo.py')]
      : [process.execPath, join(folder, language, 'echo.js')];
  return spawn(command, [file, socket, answers], { stdio: ['pipe', 'pipe', 'inherit'] });
}

export async function grpcFloor(language: GrpcLanguage, folder: string): Promise<Floor> {
  const socket = join(folder, `${language}.sock`);
  rmSync(socket, { force: true });
  const child = startEcho(language, folder, socket);
  if (child.stdout !== null) await once(child.stdout, 'data');
  const method = (index: number): MethodDefinition<Buffer, Buffer> => ({
    path: `/echo.Echo/Echo${index}`,
    requestStream: true,
    responseStream: true,
    requestSerialize: bytes,
    requestDeserialize: bytes,
    responseSerialize: bytes,
    responseDeserialize: bytes,
  });
  const methods = Object.fromEntries(measuredHooks.map(({ name }, index) => [name, method(index)]));
  const Client = makeGenericClientConstructor(methods, 'Echo');
  const client = new Client(`unix:${socket}`, credentials.createInsecure());
  const streams = measuredHooks.map(({ name }) => {
    // The constructor's type knows no methods: they are those of `methods`.
    const open = (client as unknown as Readonly<Record<string, () => ClientDuplexStream<Buffer, Buffer>>>)[name];
    if (open === undefined) throw new Error(`the client has no method ${name}`);
    return [name, new EchoStream(open.call(client))] as const;
  });
  const byName = new Map(streams);
  return {
    call: (hook) => byName.get(hook.name)?.call(hook),
    close: () => {
      for (const stream of byName.values()) stream.close();
      client.close();
      child.kill();
    },
  };
}

class EchoStream {
  readonly #stream: ClientDuplexStream<Buffer, Buffer>;
  readonly #answers = new Answers();

  constructor(stream: ClientDuplexStream<Buffer, Buffer>) {
    this.#stream = stream;
    stream.on('data', (answer: Buffer) =>
      this.#answers.answer(answer.length === 0 ? undefined : JSON.parse(answer.toString())),
    );
    // Cancelled at the end.
    stream.on('error', () => undefined);
  }

  call(hook: MeasuredHook): Promise<unknown> {
    return this.#answers.ask(() => this.#stream.write(Buffer.from(JSON.stringify(messageOf(hook)))));
  }

  close(): void {
    this.#stream.cancel();
  }
}
