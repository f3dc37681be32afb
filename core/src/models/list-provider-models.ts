import { GatewayError } from '@bifrost/sdk';
import type { Dispatcher } from 'undici';
import type { KeyConfig, ProviderConfig } from '../config.ts';
import { keysOf } from '../reliability/key-selection.ts';
import { parseAddress } from '../upstream/address.ts';
import { parseModelList } from './parse-model-list.ts';
import type { ListedModel } from './parse-model-list.ts';

/** What one key of a provider may use, or why that is not known. */
export interface KeyModels {
  readonly keyId: string;
  readonly models: readonly ListedModel[];
  /** Present where the provider's own list could not be had; the models that the key states are listed all the same. */
  readonly error?: string;
}

export interface ListProviderModelsOptions {
  /** For each key. @default 5000 */
  readonly timeoutMs?: number;
}

const maxListBytes = 16 * 1024 * 1024;
const maxModelsPerPage = 1000;

/** Page sizes in the query, by the provider's native dialect: the defaults of these two are 20 and 50. */
function pageQuery({ definition }: ProviderConfig): string {
  const dialect = definition.surfaces[0]?.dialect;
  if (dialect === 'anthropic-messages') return `?limit=${maxModelsPerPage}`;
  return dialect === 'gemini-generate-content' ? `?pageSize=${maxModelsPerPage}` : '';
}

function listUrl(provider: ProviderConfig, key: KeyConfig): URL | undefined {
  const { definition, allowedRequests, requestPathOverrides } = provider;
  if (allowedRequests !== undefined && !allowedRequests.includes('list_models')) return undefined;
  const path = requestPathOverrides?.['list_models'] ?? definition.modelsPath;
  if (path === undefined) return undefined;
  if (/^https?:\/\//.test(path)) return new URL(path);
  const address = parseAddress(key.baseUrl ?? definition.baseUrl);
  const query = requestPathOverrides?.['list_models'] === undefined ? pageQuery(provider) : '';
  return new URL(`${address.origin}${address.path}${path.startsWith('/') ? path : `/${path}`}${query}`);
}

function listHeaders({ definition, network }: ProviderConfig, key: KeyConfig): Record<string, string> {
  const headers: Record<string, string> = { accept: 'application/json', 'accept-encoding': 'identity' };
  for (const [name, value] of Object.entries(definition.defaultHeaders ?? {})) headers[name.toLowerCase()] = value;
  if (key.value !== '') headers[definition.auth.header] = `${definition.auth.prefix ?? ''}${key.value}`;
  for (const [name, value] of Object.entries(network.extraHeaders)) headers[name.toLowerCase()] = value;
  return headers;
}

async function readList(body: Dispatcher.ResponseData['body']): Promise<unknown> {
  const chunks: Buffer[] = [];
  // Beside the loop's own: an abort may come when the loop has left.
  body.on('error', () => undefined);
  let bytes = 0;
  for await (const chunk of body) {
    bytes += (chunk as Buffer).length;
    if (bytes > maxListBytes)
      throw new GatewayError('the list is too large', { code: 'BF_MODELS_LIST_INVALID', statusCode: 502 });
    chunks.push(chunk as Buffer);
  }
  return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown;
}

async function fetchList(
  dispatcher: Dispatcher,
  provider: ProviderConfig,
  key: KeyConfig,
  timeoutMs: number,
): Promise<readonly ListedModel[]> {
  const url = listUrl(provider, key);
  if (url === undefined) return [];
  const response = await dispatcher.request({
    origin: url.origin,
    path: url.pathname + url.search,
    method: 'GET',
    headers: listHeaders(provider, key),
    signal: AbortSignal.timeout(timeoutMs),
  });
  if (response.statusCode !== 200) {
    // Destroying a body that is not read emits an error, which without a listener would end the thread.
    response.body.on('error', () => undefined).destroy();
    throw new GatewayError(`the provider answered ${response.statusCode}`, {
      code: 'BF_MODELS_LIST_FAILED',
      statusCode: 502,
    });
  }
  const models = parseModelList(await readList(response.body));
  if (models !== undefined) return models;
  throw new GatewayError('the answer is no list of models', { code: 'BF_MODELS_LIST_INVALID', statusCode: 502 });
}

/** What a caller may be told of a failed listing: no address, no body. */
function explain(error: unknown): string {
  if (GatewayError.isInstance(error)) return error.message;
  if (error instanceof Error && error.name === 'TimeoutError') return 'the provider did not answer in time';
  if (error instanceof SyntaxError) return 'the answer is no JSON';
  return 'the provider could not be reached';
}

function statedModels(key: KeyConfig): ListedModel[] {
  const names = [...key.models.filter((name) => name !== '*'), ...Object.keys(key.aliases)];
  return [...new Set(names)].map((id) => ({ id }));
}

/** undici is loaded where a list is asked for: serving does without it. */
async function openDispatcher({ network, proxy }: ProviderConfig): Promise<Dispatcher> {
  const { createDispatcher } = await import('../upstream/dispatcher.ts');
  return createDispatcher(network, proxy);
}

/**
 * The models of a provider, key by key: what the key states (`models`, aliases), and where it allows all (`*`) what the
 * provider lists. Never rejects: a listing that fails is named with its key.
 */
export async function listProviderModels(
  provider: ProviderConfig,
  options: ListProviderModelsOptions = {},
): Promise<readonly KeyModels[]> {
  const { timeoutMs = 5000 } = options;
  const keys = keysOf(provider).filter(({ isEnabled }) => isEnabled);
  const needsList = provider.definition.isEmbedded !== true && keys.some(({ models }) => models.includes('*'));
  const dispatcher = needsList ? await openDispatcher(provider) : undefined;
  const results = await Promise.all(
    keys.map(async (key): Promise<KeyModels> => {
      const isDenied = (id: string): boolean =>
        key.blacklistedModels.includes(id) || key.blacklistedModels.includes('*');
      const stated = statedModels(key).filter(({ id }) => !isDenied(id));
      if (dispatcher === undefined || !key.models.includes('*')) return { keyId: key.id, models: stated };
      try {
        const listed = await fetchList(dispatcher, provider, key, timeoutMs);
        const known = new Set(stated.map(({ id }) => id));
        return { keyId: key.id, models: [...stated, ...listed.filter(({ id }) => !known.has(id) && !isDenied(id))] };
      } catch (error) {
        return { keyId: key.id, models: stated, error: explain(error) };
      }
    }),
  );
  void dispatcher?.destroy();
  return results;
}
