/** One model as a list names it. */
export interface ModelEntry {
  readonly provider: string;
  /** Without the provider. */
  readonly model: string;
  /** Unix seconds, where the provider says so. */
  readonly created?: number;
  readonly displayName?: string;
  readonly ownedBy?: string;
}

/** How the listing of one key of a provider went. */
export interface KeyStatus {
  readonly provider: string;
  readonly key_id: string;
  readonly status: 'success' | 'list_models_failed';
  readonly error?: string;
}

export interface ModelList {
  readonly models: readonly ModelEntry[];
  readonly keyStatuses: readonly KeyStatus[];
}
