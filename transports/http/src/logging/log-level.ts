/** Levels from the most talkative on. */
export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];

export const logStyles = ['json', 'pretty'] as const;
export type LogStyle = (typeof logStyles)[number];

/** True where a line of `level` is written at the configured `threshold`. */
export function isLogged(level: LogLevel, threshold: LogLevel): boolean {
  return logLevels.indexOf(level) >= logLevels.indexOf(threshold);
}
