export type { RecordedBody, Recording } from './recordings.ts';
export { recordedBytes, recordedProviders, recordingById, recordingsOf, recordingsOfApi } from './recordings.ts';
