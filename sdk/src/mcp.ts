/** What MCP hooks are given and may return: one envelope of the Model Context Protocol, or the bringing up of a connection. */
import type { ErrorInfo } from './errors.ts';
import type { HeaderMap } from './http.ts';
import type { Json, JsonObject } from './json.ts';

/** One call to an MCP server. */
export interface MCPRequest {
  /** The client's name in `mcp.client_configs`. */
  readonly client: string;
  readonly method: 'ping' | 'tools/list' | 'tools/call';
  /** Of `tools/call`: the tool's name as the server has it. */
  readonly tool?: string;
  readonly arguments?: JsonObject;
}

/** The answer to an MCPRequest: `result` as the server sent it, or an error. */
export interface MCPOutcome {
  readonly request: MCPRequest;
  readonly result?: Json;
  readonly error?: ErrorInfo;
  readonly latencyMs: number;
}

/** A change or a short-circuit by `preMCPHook`: at most one of the members. */
export interface PreMCPResult {
  readonly arguments?: JsonObject;
  /** Answer now; the server is not called. */
  readonly result?: Json;
  readonly error?: ErrorInfo;
}

/** A change by `postMCPHook`: a result on an error recovers it, an error on a result invalidates it; error wins. */
export interface PostMCPResult {
  readonly result?: Json;
  readonly error?: ErrorInfo;
}

/** The transport of an MCP client that is about to be brought up. */
export interface MCPConnectRequest {
  readonly client: string;
  readonly connectionType: 'http' | 'sse' | 'stdio' | 'inprocess';
  readonly connectionString?: string;
  readonly headers?: HeaderMap;
  readonly stdioCommand?: string;
  readonly stdioArgs?: readonly string[];
}

/** A change by `preMCPConnectionHook`; `error` keeps the connection from being made. Header changes do not reach stdio. */
export interface PreMCPConnectionResult {
  readonly connectionString?: string;
  readonly headers?: Readonly<Record<string, string | null>>;
  readonly stdioCommand?: string;
  readonly stdioArgs?: readonly string[];
  readonly error?: ErrorInfo;
}

/** What the server said of itself in the handshake, or why there was none. */
export interface MCPConnectOutcome {
  readonly client: string;
  readonly serverInfo?: JsonObject;
  readonly capabilities?: JsonObject;
  readonly error?: ErrorInfo;
}
