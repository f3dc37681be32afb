import type { Json, JsonObject } from '@bifrost/sdk';
import type { ReplayAnswer } from './answer.ts';
import type { ReplayRequest } from './replay-request.ts';
import { startReplayUpstream } from './upstream.ts';
import type { ReplayUpstream } from './upstream.ts';

/** What a provider of the Responses API says where a key does not know the response before. */
function notFound(id: string): ReplayAnswer {
  const message = `Previous response with id '${id}' not found.`;
  const error = {
    message,
    type: 'invalid_request_error',
    param: 'previous_response_id',
    code: 'previous_response_not_found',
  };
  return { status: 400, body: { error } };
}

function notVerified(value: string): ReplayAnswer {
  const message = `The encrypted content ${value.slice(0, 4)}...${value.slice(-4)} could not be verified. Reason: Encrypted content could not be decrypted or parsed.`;
  const error = { message, type: 'invalid_request_error', param: null, code: 'invalid_encrypted_content' };
  return { status: 400, body: { error } };
}

/**
 * A provider of the Responses API that binds what it makes to the key that asked for it, as OpenAI does to the organisation and Azure
 * to the resource: `previous_response_id` of another key is not found, encrypted reasoning of another key cannot be read. Its answers'
 * text is the key.
 */
export class StatefulUpstream {
  readonly upstream: ReplayUpstream;
  readonly #made: Map<string, string>;

  constructor(upstream: ReplayUpstream, made: Map<string, string>) {
    this.upstream = upstream;
    this.#made = made;
  }

  get url(): string {
    return this.upstream.url;
  }

  get requests(): readonly ReplayRequest[] {
    return this.upstream.requests;
  }

  /** The key that made a response or an encrypted value. */
  makerOf(name: string): string | undefined {
    return this.#made.get(name);
  }

  /** The keys of the requests so far, in order. */
  get keysAsked(): readonly string[] {
    return this.requests.map(keyOf);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.upstream.close();
  }
}

const keyOf = ({ headers }: ReplayRequest): string => headers.authorization?.replace('Bearer ', '') ?? '';

/** Starts one. `override` answers in its place where it returns something. Models of recordings are answered by these. */
export async function startStatefulUpstream(
  override: (request: ReplayRequest, key: string) => ReplayAnswer | undefined = () => undefined,
): Promise<StatefulUpstream> {
  const made = new Map<string, string>();
  let count = 0;
  const answer = (request: ReplayRequest): ReplayAnswer => {
    const key = keyOf(request);
    const instead = override(request, key);
    if (instead !== undefined) return instead;
    const body = request.json();
    const previous = body['previous_response_id'];
    if (typeof previous === 'string' && made.get(previous) !== key) return notFound(previous);
    for (const value of encryptedIn(body['input'])) if (made.get(value) !== key) return notVerified(value);
    count += 1;
    const response = responseOf(count, key, body);
    made.set(response.id, key);
    made.set(response.encrypted, key);
    return body['stream'] === true ? { events: eventsOf(response.body) } : { body: response.body };
  };
  return new StatefulUpstream(await startReplayUpstream({ otherwise: answer }), made);
}

function encryptedIn(input: Json | undefined): readonly string[] {
  if (!Array.isArray(input)) return [];
  return input.flatMap((item) => {
    const value = (item as JsonObject)['encrypted_content'];
    return typeof value === 'string' ? [value] : [];
  });
}

function responseOf(
  count: number,
  key: string,
  request: JsonObject,
): { id: string; encrypted: string; body: JsonObject } {
  const number = count.toString(16).padStart(12, '0');
  const [id, encrypted] = [`resp_${number}${'5a'.repeat(18)}`, `gAAAAABm${number}${'Q0x'.repeat(60)}==`];
  const text = { type: 'output_text', text: key, annotations: [], logprobs: [] };
  const body: JsonObject = {
    id,
    object: 'response',
    created_at: 1_790_000_000,
    status: 'completed',
    error: null,
    incomplete_details: null,
    model: request['model'] ?? '',
    output: [
      { id: `rs_${number}`, type: 'reasoning', summary: [], encrypted_content: encrypted },
      { id: `msg_${number}`, type: 'message', status: 'completed', role: 'assistant', content: [text] },
    ],
    parallel_tool_calls: true,
    previous_response_id: request['previous_response_id'] ?? null,
    tool_choice: 'auto',
    tools: [],
    usage: {
      input_tokens: 3,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: 2,
      output_tokens_details: { reasoning_tokens: 1 },
      total_tokens: 5,
    },
  };
  return { id, encrypted, body };
}

function eventsOf(response: JsonObject): { readonly event: string; readonly data: string }[] {
  const open = { ...response, status: 'in_progress', output: [], usage: null };
  const [reasoning, message] = response['output'] as JsonObject[];
  const { content, ...bare } = message as JsonObject;
  const [part] = content as JsonObject[];
  const place = { output_index: 1, item_id: bare['id'] ?? null, content_index: 0 };
  const events: JsonObject[] = [
    { type: 'response.created', response: open },
    { type: 'response.output_item.added', output_index: 0, item: { ...reasoning, encrypted_content: '' } },
    { type: 'response.output_item.done', output_index: 0, item: reasoning ?? null },
    { type: 'response.output_item.added', output_index: 1, item: { ...bare, status: 'in_progress', content: [] } },
    { type: 'response.content_part.added', ...place, part: { ...part, text: '' } },
    { type: 'response.output_text.delta', ...place, delta: part?.['text'] ?? '', logprobs: [] },
    { type: 'response.output_text.done', ...place, text: part?.['text'] ?? '', logprobs: [] },
    { type: 'response.content_part.done', ...place, part: part ?? null },
    { type: 'response.output_item.done', output_index: 1, item: message ?? null },
    { type: 'response.completed', response },
  ];
  return events.map((event, index) => ({
    event: event['type'] as string,
    data: JSON.stringify({ ...event, sequence_number: index }),
  }));
}
