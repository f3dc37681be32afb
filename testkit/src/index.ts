export type { ClientRequest } from './client-requests.ts';
export { clientRequests } from './client-requests.ts';
export type { StoredBodyCase } from './bodies/stored-body-cases.ts';
export { storedBodyCases } from './bodies/stored-body-cases.ts';
export type { RecordedBody, Recording } from './recordings.ts';
export { recordedBytes, recordedProviders, recordingById, recordingsOf, recordingsOfApi } from './recordings.ts';
export type { ReplayAnswer, ScriptEntry } from './replay/answer.ts';
export { dialectOfPath } from './replay/answer.ts';
export type { OpenedPost, PostBody, PostOptions, PostResult, TimedSseEvent } from './replay/client.ts';
export { getFreePort, openPost, postJson, readSse } from './replay/client.ts';
export type { Cut, Delivery } from './replay/delivery.ts';
export { errorBody, errorEvents, retryAfterHeader } from './replay/error-bodies.ts';
export { matchRecording, requestedModel } from './replay/match-recording.ts';
export { ReplayRequest } from './replay/replay-request.ts';
export { StatefulUpstream, startStatefulUpstream } from './replay/stateful-upstream.ts';
export type { ReplayUpstreamOptions } from './replay/upstream.ts';
export { ReplayUpstream, startReplayUpstream } from './replay/upstream.ts';
export type { StreamFraming } from './replay/wire-events.ts';
export { splitChunks, splitEvents, splitLines } from './replay/wire-events.ts';
export type { BenchUpstreamOptions, BenchUpstreamProcess } from './replay/start-bench-upstream.ts';
export { startBenchUpstream } from './replay/start-bench-upstream.ts';
export { interestingOffsets, judgeFraming, withCrlf } from './laws/framing.ts';
export { judgeRoundTrip } from './laws/round-trip.ts';
export type { CodecOf } from './laws/exchange.ts';
export { recordingsOfDialect } from './laws/exchange.ts';
export type { Law, Subject, Verdict } from './laws/verdict.ts';
export { judgeAcrossDialects } from './laws/across-dialects.ts';
export { compareRequests, residueDifferences } from './laws/compare-request.ts';
export { compareResponses } from './laws/compare-response.ts';
export type { KnownException } from './laws/known-exceptions.ts';
export { knownExceptions } from './laws/known-exceptions.ts';
export type { LawCount } from './laws/laws-report.ts';
export {
  countVerdicts,
  exceptionOf,
  formatCounts,
  judgeAll,
  registeredCodecs,
  translatedDialects,
} from './laws/laws-report.ts';
export type { Difference } from './laws/loss-cover.ts';
export { isCovered } from './laws/loss-cover.ts';
