/** The options of a hook that is declared as an object; none for a bare function. */
export function hookObjectOptions(declared: unknown): { readonly onError?: unknown; readonly when?: unknown } {
  return typeof declared === 'object' && declared !== null ? declared : {};
}
