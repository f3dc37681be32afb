/** The routes that record the calls of a plugin, and give out what was recorded. Who calls them has shown the admin credential. */
import { basename } from 'node:path';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { GatewayError, isJsonObject } from '@bifrost/sdk';
import { notRecorded } from '@bifrost/framework/recordings';
import type { RecordingDesk, RunningRecording } from '@bifrost/framework/recordings';
import { parseRecordingRequest } from './recording-request.ts';

export interface RecordingRoutesOptions {
  readonly desk: RecordingDesk;
  /** Rejects with GatewayError 404 where there is no plugin of that name. */
  readonly assertPlugin: (name: string) => Promise<unknown>;
}

function paramOf(request: FastifyRequest, name: 'name' | 'file'): string {
  return (request.params as Readonly<Record<string, string>>)[name] ?? '';
}

function formatRunning({ file, startedAt, maxMs, ...rest }: RunningRecording): object {
  return {
    ...rest,
    seconds: maxMs / 1000,
    file: basename(file),
    startedAt: new Date(startedAt).toISOString(),
  };
}

/** Adds the routes to `app`. */
export function addRecordingRoutes(app: FastifyInstance, { desk, assertPlugin }: RecordingRoutesOptions): void {
  app.post('/api/plugins/:name/recording', async (request, reply) => {
    const name = paramOf(request, 'name');
    const body: unknown = request.body ?? {};
    if (!isJsonObject(body)) {
      throw new GatewayError('the body must be a JSON object', { code: 'BF_ADMIN_INVALID', statusCode: 400 });
    }
    await assertPlugin(name);
    return reply.code(201).send(formatRunning(desk.start(parseRecordingRequest(name, body))));
  });
  app.get('/api/plugins/:name/recording', (request) => {
    const running = desk.running(paramOf(request, 'name'));
    if (running === undefined) throw notRecorded(paramOf(request, 'name'));
    return formatRunning(running);
  });
  app.delete('/api/plugins/:name/recording', async (request) => {
    const summary = await desk.stop(paramOf(request, 'name'));
    if (summary === undefined) throw notRecorded(paramOf(request, 'name'));
    return { ...summary, file: basename(summary.file) };
  });
  app.get('/api/recordings', async () => {
    const files = await desk.files();
    return {
      running: desk.allRunning.map(formatRunning),
      files: files.map(({ endedAt, ...file }) => ({ ...file, endedAt: new Date(endedAt).toISOString() })),
    };
  });
  app.get('/api/recordings/:file', async (request, reply) => {
    const file = paramOf(request, 'file');
    const bytes = await desk.read(file);
    return reply
      .type('application/octet-stream')
      .header('content-disposition', `attachment; filename="${file}"`)
      .send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  });
  app.delete('/api/recordings/:file', async (request) => {
    await desk.delete(paramOf(request, 'file'));
    return { message: 'Recording deleted successfully' };
  });
}
