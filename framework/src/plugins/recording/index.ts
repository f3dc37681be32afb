/** Recordings of hook calls, to be played again to another build of a plugin. */
export { openCaptureKey, readCaptureKey } from './capture-key.ts';
export type { CaptureHeader } from './capture-format.ts';
export { CaptureRecorder } from './capture-recorder.ts';
export type { CaptureOptions, CaptureSummary } from './capture-recorder.ts';
export { captureKeyName, notRecorded, RecordingDesk } from './recording-desk.ts';
export type { RecordingFile, RecordingRequest, RunningRecording } from './recording-desk.ts';
export type { RecordedBatch, RecordingFilter, RecordingOrder } from './recording-order.ts';
export { readCapture } from './read-capture.ts';
export type { Capture } from './read-capture.ts';
