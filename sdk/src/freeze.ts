const frozenWhole = new WeakSet<object>();

/**
 * Freezes plain data to its depth and returns it: what the host does to hook inputs in development, and a plugin's own tests
 * should do. Byte arrays cannot be frozen and stay as they are; class instances are left alone.
 */
export function deepFreeze<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || frozenWhole.has(value) || ArrayBuffer.isView(value)) return value;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null) return value;
  frozenWhole.add(value);
  Object.freeze(value);
  for (const member of Object.values(value)) deepFreeze(member);
  return value;
}
