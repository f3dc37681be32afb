import { isDeepStrictEqual } from 'node:util';
import type { Json } from '@bifrost/sdk';
import { isJsonObject } from '@bifrost/sdk';
import type { Recording } from '../recordings.ts';
import { recordedProviders, recordingById, recordingsOf } from '../recordings.ts';
import type { ReplayRequest } from './replay-request.ts';

const modelInPath = /\/models\/([^?]+?):\w+(?:\?|$)/;

/** The model that a request asks for: in its JSON body, or (Gemini) in its path. */
export function requestedModel(path: string, body: Json | undefined): string | undefined {
  const named = body !== undefined && isJsonObject(body) ? body['model'] : undefined;
  if (typeof named === 'string') return named;
  const match = modelInPath.exec(path)?.[1];
  return match === undefined ? undefined : decodeURIComponent(match);
}

const withoutQuery = (path: string): string => path.split('?', 1)[0] as string;

const byRoute = new Map<string, Recording[]>();

function recordingsByRoute(method: string, path: string): readonly Recording[] {
  if (byRoute.size === 0) {
    for (const recording of recordedProviders().flatMap(recordingsOf)) {
      if (recording.request === null) continue;
      const key = `${recording.request.method} ${withoutQuery(recording.request.path)}`;
      const same = byRoute.get(key);
      if (same === undefined) byRoute.set(key, [recording]);
      else same.push(recording);
    }
  }
  return byRoute.get(`${method} ${withoutQuery(path)}`) ?? [];
}

/** The id that a request names itself: header `x-replay-id`, or the model `replay:<id>`. */
export function namedRecording(request: ReplayRequest): string | undefined {
  const header = request.headers['x-replay-id'];
  if (typeof header === 'string') return header;
  const model = requestedModel(request.path, request.tryJson());
  return model?.startsWith('replay:') === true ? model.slice('replay:'.length) : undefined;
}

/**
 * The recording that answers a request which no script claims: by its named id; else same method, path and model, the same
 * body first, then the same wish for a stream, then the first by id.
 */
export function matchRecording(request: ReplayRequest): Recording | undefined {
  const id = namedRecording(request);
  if (id !== undefined) return recordingById(id);
  const body = request.tryJson();
  const model = requestedModel(request.path, body);
  const candidates = recordingsByRoute(request.method, request.path).filter((one) => one.model === model);
  const wantsStream = body !== undefined && isJsonObject(body) && body['stream'] === true;
  return (
    candidates.find((one) => isDeepStrictEqual(one.request?.body, body)) ??
    candidates.find((one) => one.stream === (wantsStream || request.path.includes(':stream'))) ??
    candidates[0]
  );
}
