export declare function layeringViolation(importer: string, specifier: string): string | undefined;
export declare function isSharedCode(path: string): boolean;
