/** What each hook's input becomes on the way into a guest, and what its answer becomes on the way out: bytes go beside the JSON. */
import type { HookName, HttpRequest, HttpResponse, LLMRequest, StreamChunk } from '@bifrost/sdk';
import type { Answer, Attachment } from './exchange.ts';

/** A hook's input as JSON text with attachments; `{"$bytes": n}` in the JSON stands for attachment n. */
export interface EncodedInput {
  readonly json: string;
  readonly attachments: readonly Attachment[];
}

const none: readonly Attachment[] = [];
const firstAttachment = '{"$bytes":0}';

function encodeWithBody(input: HttpRequest | HttpResponse | LLMRequest): EncodedInput {
  const { body } = input;
  if (body === undefined) return { json: JSON.stringify(input), attachments: none };
  const { body: _body, ...rest } = input;
  // `rest` has members always (a method, a model, a status): the text ends in `}` after one.
  return { json: `${JSON.stringify(rest).slice(0, -1)},"body":${firstAttachment}}`, attachments: [body] };
}

function encodeChunk({ data, event, index }: StreamChunk): EncodedInput {
  const name = event === undefined ? '' : `,"event":${JSON.stringify(event)}`;
  return { json: `{"index":${index}${name},"data":${firstAttachment}}`, attachments: [data] };
}

function encodePlain(input: unknown): EncodedInput {
  return { json: JSON.stringify(input), attachments: none };
}

type Encode = (input: never) => EncodedInput;

/** Hooks whose input is more than JSON. */
const encoders: { readonly [Name in HookName]?: Encode } = {
  httpTransportPreAuthHook: encodeWithBody,
  httpTransportPreHook: encodeWithBody,
  preRequestHook: encodeWithBody,
  preLLMHook: encodeWithBody,
  httpTransportPostHook: encodeWithBody,
  httpTransportStreamChunkHook: encodeChunk,
};

export function encoderOf(hook: HookName): (input: unknown) => EncodedInput {
  const encode = encoders[hook];
  // The chain gives each hook the input of its type.
  return encode === undefined ? encodePlain : (encode as (input: unknown) => EncodedInput);
}

type Members = Record<string, unknown>;

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Puts the attachment in the place of `{"$bytes": n}`; anything else stays, for the chain's own checks to judge. */
function placeBytes(holder: unknown, member: string, attachments: readonly Uint8Array[]): void {
  if (!isMembers(holder)) return;
  const reference = holder[member];
  if (!isMembers(reference)) return;
  const { $bytes: index } = reference;
  const bytes = typeof index === 'number' ? attachments[index] : undefined;
  if (bytes !== undefined) holder[member] = bytes;
}

type Place = (value: unknown, attachments: readonly Uint8Array[]) => void;

const placePre: Place = (value, attachments) => {
  if (!isMembers(value)) return;
  placeBytes(value['request'], 'body', attachments);
  placeBytes(value['response'], 'body', attachments);
};

/** Hooks whose answer may hold bytes. */
const placers: { readonly [Name in HookName]?: Place } = {
  httpTransportPreAuthHook: placePre,
  httpTransportPreHook: placePre,
  httpTransportPostHook: (value, attachments) => placeBytes(value, 'body', attachments),
  httpTransportStreamChunkHook: (value, attachments) => {
    placeBytes(value, 'data', attachments);
    if (isMembers(value) && value['data'] instanceof Uint8Array) value['data'] = Buffer.from(value['data']).toString();
  },
};

export function placerOf(hook: HookName): (answer: Answer) => unknown {
  const place = placers[hook];
  return ({ value, attachments }) => {
    if (attachments.length > 0) place?.(value, attachments);
    return value;
  };
}
