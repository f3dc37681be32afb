/**
 * What a realm says to its supervisor, looked at before it is used: the realm runs a plugin's code, which may write there itself. The
 * supervisor is in the thread that everything else depends on.
 */
import { isJsonObject } from '@bifrost/sdk';
import type { FromRunner, RunnerStage } from '../control.ts';
import { FrameError } from '../frame-codec.ts';

const stages: readonly unknown[] = ['module', 'init', 'hooks', 'cleanup'] satisfies RunnerStage[];

type Members = Readonly<Record<string, unknown>>;

const isOptionalText = (value: unknown): boolean => value === undefined || typeof value === 'string';
const isOptionalObject = (value: unknown): boolean => value === undefined || isJsonObject(value);

/** Whether the members are of the types that they are said to have; what a description holds is checked by who reads it. */
const checks: { readonly [Kind in FromRunner['kind']]: (members: Members) => boolean } = {
  stage: ({ stage }) => stages.includes(stage),
  ready: ({ description }) => isJsonObject(description),
  failed: ({ code, message, description }) =>
    typeof code === 'string' && typeof message === 'string' && isOptionalObject(description),
  viewed: ({ id, value, failure }) => typeof id === 'number' && isOptionalObject(value) && isOptionalText(failure),
  pong: ({ ping }) => typeof ping === 'number',
  log: ({ level, message, fields }) => typeof level === 'string' && typeof message === 'string' && isJsonObject(fields),
  escape: ({ message }) => typeof message === 'string',
  tunnel: ({ channel, input }) => typeof channel === 'number' && isJsonObject(input),
  connect: ({ connection, host, port }) =>
    typeof connection === 'number' && typeof host === 'string' && typeof port === 'number',
  closed: () => true,
};

function isKnown(kind: unknown): kind is FromRunner['kind'] {
  return typeof kind === 'string' && Object.hasOwn(checks, kind);
}

/**
 * The message, or undefined for one that is none of a runner's: a library that finds itself in a thread may well post something to its
 * parent. Throws FrameError for a kind that is known and members that are wrong.
 */
export function readControl(message: unknown): FromRunner | undefined {
  if (!isJsonObject(message) || !isKnown(message['kind'])) return undefined;
  const { kind } = message;
  if (!checks[kind](message)) throw new FrameError(`a "${kind}" with members that are wrong`);
  // As just checked.
  return message as unknown as FromRunner;
}
