// Node's own `import()`, for tests: Vitest replaces the one in files that it transforms, which a required file is not.
module.exports = (specifier) => import(specifier);
