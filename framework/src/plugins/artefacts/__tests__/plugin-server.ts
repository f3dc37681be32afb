/** An https server on loopback, with a certificate of its own, that plugins are downloaded from. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type Answer = (response: ServerResponse, request: IncomingMessage) => void;

export interface PluginServer extends AsyncDisposable {
  /** `https://HOST:PORT`; the name need not resolve. */
  origin(host?: string): string;
  /** Of its certificate, as PEM. */
  readonly certificate: string;
  /** Path -> what is answered. */
  readonly answers: Map<string, Answer>;
  /** Paths that were asked for. */
  readonly asked: string[];
}

/** Starts one that is called `localhost` and `plugins.example`. */
export async function startPluginServer(): Promise<PluginServer> {
  const folder = mkdtempSync(join(tmpdir(), 'bifrost-plugin-server-'));
  const [keyFile, certificateFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const names = 'subjectAltName=DNS:localhost,DNS:plugins.example,DNS:other.example,IP:127.0.0.1';
  const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  execFileSync(
    'openssl',
    [...made, '-keyout', keyFile, '-out', certificateFile, '-subj', '/CN=localhost', '-addext', names],
    {
      stdio: 'ignore',
    },
  );
  const [key, certificate] = [readFileSync(keyFile), readFileSync(certificateFile, 'utf8')];
  rmSync(folder, { recursive: true });
  const answers = new Map<string, Answer>();
  const asked: string[] = [];
  const server = createServer({ key, cert: certificate }, (request, response) => {
    const path = request.url ?? '';
    asked.push(path);
    const answer = answers.get(path.split('?')[0] ?? '');
    if (answer === undefined) response.writeHead(404).end('no such plugin');
    else answer(response, request);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    origin: (host = 'plugins.example') => `https://${host}:${port}`,
    certificate,
    answers,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
