/** How the program ends: a wrong flag or configuration is told apart from a failure. */
export const exitCodes = { done: 0, failed: 1, misconfigured: 2 } as const;
