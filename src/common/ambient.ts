/*
 * What the package's types refer to, for compilers that do not know it: TypeScript before 5.2 has no Symbol.dispose, and
 * none has WebAssembly without "dom". To others this says nothing new.
 */

/* eslint-disable @typescript-eslint/no-namespace, @typescript-eslint/no-empty-object-type --
   Empty, they say nothing new beside those of "dom". */
declare global {
  interface SymbolConstructor {
    readonly dispose: unique symbol;
    readonly asyncDispose: unique symbol;
  }
  interface Disposable {
    [Symbol.dispose](): void;
  }
  interface AsyncDisposable {
    [Symbol.asyncDispose](): PromiseLike<void>;
  }
  namespace WebAssembly {
    interface Global {}
    interface Memory {}
    interface Module {}
  }
}

/** The symbols, also where the runtime does not know them yet. */
export const dispose: typeof Symbol.dispose = Symbol.dispose ?? Symbol.for("Symbol.dispose");
export const asyncDispose: typeof Symbol.asyncDispose =
  Symbol.asyncDispose ?? Symbol.for("Symbol.asyncDispose");
