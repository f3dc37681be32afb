import { Program } from './program.ts';

const token = 'the-admin-token-of-the-tests';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** The program, and its admin API. */
export class AdminGateway implements AsyncDisposable {
  readonly program: Program;
  #url = '';

  constructor(folder: string, environment: Readonly<Record<string, string>>) {
    this.program = new Program(['-app-dir', folder, '-port', '0', '-threads', '2'], environment);
  }

  /** Starts it with two serving threads on an app directory. */
  static async start(
    folder: string,
    environment: Readonly<Record<string, string>> = { BIFROST_ADMIN_TOKEN: token },
  ): Promise<AdminGateway> {
    const gateway = new AdminGateway(folder, environment);
    gateway.#url = (await gateway.program.ready()).replace('localhost', '127.0.0.1');
    return gateway;
  }

  async call<Body = Record<string, unknown>>(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = { authorization: `Bearer ${token}` },
  ): Promise<{ readonly status: number; readonly body: Body }> {
    const isBinary = body instanceof Uint8Array;
    const type = isBinary ? 'application/octet-stream' : 'application/json';
    const response = await fetch(`${this.#url}${path}`, {
      method,
      headers: { ...(body === undefined ? {} : { 'content-type': type }), ...headers },
      ...(body === undefined ? {} : { body: isBinary ? new Uint8Array(body) : JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Body };
  }

  /** What curl sends for `--data-binary @FILE` and no more: a body that it calls a form. */
  post<Body = Record<string, unknown>>(path: string, body: string) {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/x-www-form-urlencoded' };
    return this.call<Body>('POST', path, Buffer.from(body), headers);
  }

  /** The bytes of a file that the admin API gives out. */
  async download(path: string): Promise<Buffer> {
    const response = await fetch(`${this.#url}${path}`, { headers: { authorization: `Bearer ${token}` } });
    if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
    return Buffer.from(await response.arrayBuffer());
  }

  /** A request to the mock provider, read to its end. */
  async ask(headers: Readonly<Record<string, string>> = {}, isStream = false, content = 'Hi'): Promise<Answer> {
    const response = await fetch(`${this.#url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ model: 'mock/hello', stream: isStream, messages: [{ role: 'user', content }] }),
    });
    return { status: response.status, headers: response.headers, text: await response.text() };
  }

  /** The header that the plugin of these tests sets, on an answer to a new request. */
  async stamp(): Promise<string | null> {
    return (await this.ask()).headers.get('x-stamp');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.program[Symbol.asyncDispose]();
  }
}
