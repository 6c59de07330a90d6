/*
 * @assemblyscript/loader makes a decoder of UTF-16 when it is imported, for strings, which the kernels do not have. Where
 * there is no TextDecoder, or one of UTF-8 only, that import would fail, and plain JavaScript with it, which needs neither.
 * There the loader gets one that does nothing, for as long as its import takes. Import this first.
 */

const decodesUtf16 = (): boolean => {
  try {
    return !!new TextDecoder("utf-16le", { fatal: true });
  } catch {
    return false;
  }
};

const lent = !decodesUtf16();
const before = Object.getOwnPropertyDescriptor(globalThis, "TextDecoder");
const standIn = { value: class {}, configurable: true, writable: true };
if (lent) Object.defineProperty(globalThis, "TextDecoder", standIn);

/** Leaves the realm as it was. */
export function putBack(): void {
  if (!lent) return;
  if (before) Object.defineProperty(globalThis, "TextDecoder", before);
  else Reflect.deleteProperty(globalThis, "TextDecoder");
}
