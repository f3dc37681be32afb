/** A provider as data: where it is, how it authenticates, which dialects it speaks natively, how it deviates from them. */
import type { DialectName } from '@bifrost/sdk';
import type { DialectQuirks } from '../dialects/codec.ts';

/** Operations beside conversations that a provider may offer. */
export type Operation =
  | 'chat'
  | 'responses'
  | 'completions'
  | 'messages'
  | 'generate-content'
  | 'embeddings'
  | 'count-tokens'
  | 'list-models';

export interface AuthScheme {
  /** Header that carries the key, lower case. */
  readonly header: 'authorization' | 'x-api-key' | 'x-goog-api-key' | 'api-key';
  /** @default '' */
  readonly prefix?: string;
}

/** One way into a provider for one dialect. */
export interface Surface {
  readonly dialect: DialectName;
  /**
   * Path below the base URL, e.g. `/v1/chat/completions`. `{model}` and `{action}` are filled in for Gemini
   * (`/v1beta/models/{model}:{action}`).
   */
  readonly path: string;
  readonly quirks?: DialectQuirks;
}

export interface ProviderDefinition {
  readonly name: string;
  /** Without a trailing slash, e.g. `https://api.openai.com`. */
  readonly baseUrl: string;
  readonly auth: AuthScheme;
  /** A server that needs no key (ollama, vllm, sgl, lmstudio). */
  readonly isKeyless?: boolean;
  /** In order of preference when the client's dialect is none of them. */
  readonly surfaces: readonly Surface[];
  /** Paths of the other operations, where offered. */
  readonly embeddingsPath?: string;
  readonly embeddingsDialect?: 'openai' | 'gemini';
  readonly countTokensPath?: string;
  readonly modelsPath?: string;
  /** Headers that every call carries (Anthropic `anthropic-version`). A caller's own value of these wins. */
  readonly defaultHeaders?: Readonly<Record<string, string>>;
  /** Caller's headers that are passed on to this provider (beta switches and the like), lower case. */
  readonly forwardedHeaders?: readonly string[];
  /**
   * `drain` for a provider that bills an answer to its end though the call was broken off: it is read on for its usage unless the
   * operator says otherwise. @default 'cancel'
   */
  readonly onClientDisconnect?: 'cancel' | 'drain';
  /** True for the embedded mock, which answers in process. */
  readonly isEmbedded?: boolean;
}
