/**
 * Upgrade without a cut: the process starts its successor, which gets the listening socket and says when it serves; then this one
 * drains. No connection is refused, as the socket is never closed, and none is cut, as each process ends what it has accepted.
 */
import { spawn } from 'node:child_process';
import { closeSync, writeSync } from 'node:fs';
import { programCommand } from '@bifrost/framework/realms';
import { GatewayError } from '@bifrost/sdk';
import type { Environment } from '@bifrost/framework/config';

const socketVariable = 'BIFROST_LISTEN_FD';
const readyVariable = 'BIFROST_READY_FD';
/** Where the successor finds them: behind standard input, output and error. */
const socketDescriptor = 3;
const readyDescriptor = 4;
const readyWithinMs = 60_000;

function toDescriptor(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,4}$/.test(text) ? Number(text) : undefined;
}

/**
 * The listening socket that this process was given: by the one before it, or by systemd (`LISTEN_FDS` and `LISTEN_PID`, the
 * first one). Undefined where it has to make its own.
 */
export function inheritedSocket(environment: Environment, pid: number): number | undefined {
  const fromPredecessor = toDescriptor(environment[socketVariable]);
  if (fromPredecessor !== undefined) return fromPredecessor;
  const isForUs = environment['LISTEN_PID'] === String(pid) && Number(environment['LISTEN_FDS']) >= 1;
  return isForUs ? socketDescriptor : undefined;
}

/** Tells the process before this one, if there is one, that this one serves. */
export function reportReady(environment: Environment): void {
  const descriptor = toDescriptor(environment[readyVariable]);
  if (descriptor === undefined) return;
  try {
    writeSync(descriptor, 'ready\n');
    closeSync(descriptor);
  } catch {
    // It is gone already; nobody waits.
  }
}

/** The environment of a successor: ours without what was meant for this process alone. */
function successorEnvironment(environment: Environment): Record<string, string> {
  const own = new Set([socketVariable, readyVariable, 'LISTEN_FDS', 'LISTEN_PID', 'LISTEN_FDNAMES']);
  const rest = Object.entries(environment).flatMap(([name, value]) =>
    value === undefined || own.has(name) ? [] : [[name, value] as const],
  );
  return {
    ...Object.fromEntries(rest),
    [socketVariable]: String(socketDescriptor),
    [readyVariable]: String(readyDescriptor),
  };
}

function explainFailure(message: string): GatewayError {
  return new GatewayError(message, { code: 'BF_HTTP_HAND_OVER_FAILED', statusCode: 500 });
}

/**
 * Starts the program anew (the file at its path, which may be another version by now) with the listening socket. Resolves with
 * its process id when it serves; rejects with `BF_HTTP_HAND_OVER_FAILED`, the successor ended, when it does not.
 */
export async function startSuccessor(listenDescriptor: number, environment: Environment): Promise<number> {
  const [file, ...args] = programCommand();
  const child = spawn(file, args, {
    env: successorEnvironment(environment),
    stdio: ['inherit', 'inherit', 'inherit', listenDescriptor, 'pipe'],
    // A group of its own: what is sent to this process's group (Ctrl-C) is for this process.
    detached: true,
  });
  const ready = child.stdio[readyDescriptor];
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  ready?.once('data', () => resolve(child.pid ?? 0));
  child.once('error', (error) => reject(explainFailure(`${file} cannot be started: ${error.message}`)));
  child.once('exit', (code, signal) =>
    reject(explainFailure(`the new process ended with ${signal ?? `code ${code}`}`)),
  );
  const timer = setTimeout(() => {
    child.kill('SIGKILL');
    reject(explainFailure(`the new process did not serve within ${readyWithinMs / 1000} s`));
  }, readyWithinMs);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    ready?.destroy();
    child.unref();
  }
}
