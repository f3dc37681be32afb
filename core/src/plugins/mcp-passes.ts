/** The walks of MCP values: a call, its answer, the bringing up of a connection. */
import type {
  ErrorInfo,
  HeaderChanges,
  Json,
  JsonObject,
  MCPConnectOutcome,
  MCPConnectRequest,
  MCPOutcome,
  MCPRequest,
} from '@bifrost/sdk';
import type { PostMCPOutcome, PreMCPConnectionOutcome, PreMCPOutcome } from './chain.ts';
import { assertErrorInfo, isEmptyError, withOrigin } from './check-conversation.ts';
import { applyHeaderChanges, checkHeaderChanges, mergeHeaderChanges } from './check-http.ts';
import { arrayAt, assertJson, objectAt, oneMember, onlyMembers, stringAt } from './check-value.ts';
import type { HookEntry } from './hook-entry.ts';
import type { HookPass } from './hook-pass.ts';

const preMembers = ['arguments', 'result', 'error'];
const postMembers = ['result', 'error'];
const connectionMembers = ['connectionString', 'headers', 'stdioCommand', 'stdioArgs', 'error'];

export class PreMCPPass implements HookPass {
  readonly target = undefined;
  #request: MCPRequest;
  #outcome: PreMCPOutcome | undefined;

  constructor(request: MCPRequest) {
    this.#request = request;
  }

  input(): MCPRequest {
    return this.#request;
  }

  accept(_entry: HookEntry, returned: unknown): boolean {
    const result = objectAt(returned, '');
    onlyMembers(result, preMembers, '');
    oneMember(result, preMembers);
    const { arguments: given, result: answer, error } = result;
    if (given !== undefined) {
      assertArguments(given);
      this.#request = { ...this.#request, arguments: given };
      this.#outcome = { arguments: given };
      return false;
    }
    if (answer !== undefined) {
      assertJson(answer, 'result');
      this.#outcome = { result: answer };
    } else if (error !== undefined) {
      assertErrorInfo(error, 'error');
      this.#outcome = { error: withOrigin(error) };
    } else return false;
    return true;
  }

  deny(error: ErrorInfo): void {
    this.#outcome = { error };
  }

  outcome(): PreMCPOutcome | undefined {
    return this.#outcome;
  }
}

function assertArguments(value: unknown): asserts value is JsonObject {
  assertJson(objectAt(value, 'arguments'), 'arguments');
}

export class PostMCPPass implements HookPass {
  readonly target = undefined;
  #outcome: MCPOutcome;
  #isChanged = false;

  constructor(outcome: MCPOutcome) {
    this.#outcome = outcome;
  }

  input(): MCPOutcome {
    return this.#outcome;
  }

  accept(_entry: HookEntry, returned: unknown): boolean {
    const result = objectAt(returned, '');
    onlyMembers(result, postMembers, '');
    const { result: answer } = result;
    const error = answer !== undefined && isEmptyError(result['error']) ? undefined : result['error'];
    const { request, latencyMs } = this.#outcome;
    if (error !== undefined) {
      assertErrorInfo(error, 'error');
      this.#outcome = { request, latencyMs, error: withOrigin(error) };
    } else if (answer !== undefined) {
      assertJson(answer, 'result');
      this.#outcome = { request, latencyMs, result: answer };
    } else return false;
    this.#isChanged = true;
    return false;
  }

  deny(error: ErrorInfo): void {
    const { request, latencyMs } = this.#outcome;
    this.#outcome = { request, latencyMs, error };
    this.#isChanged = true;
  }

  outcome(): PostMCPOutcome | undefined {
    if (!this.#isChanged) return undefined;
    const { result, error } = this.#outcome;
    return error === undefined ? toResult(result) : { error };
  }
}

function toResult(result: Json | undefined): PostMCPOutcome {
  return result === undefined ? {} : { result };
}

export class PreMCPConnectionPass implements HookPass {
  readonly target = undefined;
  #request: MCPConnectRequest;
  #headers: HeaderChanges | undefined;
  #outcome: Omit<PreMCPConnectionOutcome, 'headers'> | undefined;

  constructor(request: MCPConnectRequest) {
    this.#request = request;
  }

  input(): MCPConnectRequest {
    return this.#request;
  }

  /** True where the connection must not be made. */
  accept(_entry: HookEntry, returned: unknown): boolean {
    const result = objectAt(returned, '');
    onlyMembers(result, connectionMembers, '');
    const { error } = result;
    if (error !== undefined) {
      assertErrorInfo(error, 'error');
      this.#outcome = { error: withOrigin(error) };
      return true;
    }
    const headers = checkHeaderChanges(result['headers'], 'headers');
    const change = transportChange(result);
    this.#outcome = { ...this.#outcome, ...change };
    if (headers !== undefined) this.#headers = mergeHeaderChanges(this.#headers, headers);
    this.#request = {
      ...this.#request,
      ...change,
      ...(headers === undefined ? {} : { headers: applyHeaderChanges(this.#request.headers ?? {}, headers) }),
    };
    return false;
  }

  deny(error: ErrorInfo): void {
    this.#outcome = { error };
  }

  outcome(): PreMCPConnectionOutcome | undefined {
    if (this.#outcome?.error !== undefined) return { error: this.#outcome.error };
    if (this.#outcome === undefined && this.#headers === undefined) return undefined;
    return { ...this.#outcome, ...(this.#headers === undefined ? {} : { headers: this.#headers }) };
  }
}

function transportChange(
  result: Readonly<Record<string, unknown>>,
): Pick<PreMCPConnectionOutcome, 'connectionString' | 'stdioCommand' | 'stdioArgs'> {
  const { connectionString, stdioCommand, stdioArgs } = result;
  if (connectionString !== undefined) stringAt(connectionString, 'connectionString');
  if (stdioCommand !== undefined) stringAt(stdioCommand, 'stdioCommand');
  const words = stdioArgs === undefined ? undefined : arrayAt(stdioArgs, 'stdioArgs').map(wordAt);
  return {
    ...(connectionString === undefined ? {} : { connectionString }),
    ...(stdioCommand === undefined ? {} : { stdioCommand }),
    ...(words === undefined ? {} : { stdioArgs: words }),
  };
}

function wordAt(value: unknown, index: number): string {
  stringAt(value, `stdioArgs[${index}]`);
  return value;
}

export class PostMCPConnectionPass implements HookPass {
  readonly target = undefined;
  readonly #outcome: MCPConnectOutcome;
  /** A guard could not judge the server: the connection must not be used. */
  denial: ErrorInfo | undefined;

  constructor(outcome: MCPConnectOutcome) {
    this.#outcome = outcome;
  }

  input(): MCPConnectOutcome {
    return this.#outcome;
  }

  accept(): boolean {
    return false;
  }

  deny(error: ErrorInfo): void {
    this.denial = error;
  }
}
