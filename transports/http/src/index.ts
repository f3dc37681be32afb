export type { RunningServer, StartServerOptions } from './start-server.ts';
export { startServer } from './start-server.ts';
export type { LogRecord, LogSink } from './logging/logger.ts';
export type { LogLevel, LogStyle } from './logging/log-level.ts';
export { createLogWriter } from './logging/log-writer.ts';
export { loadProgramConfig } from './program/load-program-config.ts';
export { routeTable } from './serving/route-table.ts';
export type { RouteEntry } from './serving/route-table.ts';
