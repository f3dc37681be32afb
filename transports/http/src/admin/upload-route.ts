/** The one call whose body is an artefact: a serving thread bounds and hands it over, the supervisor takes it. */
export const uploadRoute = '/api/plugins/upload';

/** Longest body of it. */
export const maxUploadBytes = 64 * 1024 * 1024;
