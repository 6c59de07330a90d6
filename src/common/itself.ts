/**
 * Private fields belong to an object itself: a Proxy of it, as Vue's `reactive` makes them, has none, nor has what
 * `{ ...optimizer }` makes. `alone`: there is no object at all, as for a method that was taken from its object.
 */
export function notItself(name: string, alone = false): TypeError {
  const called = alone ? "a method was called without it" : "called on a Proxy or a copy of it";
  const cure = alone
    ? `call ${name}.method(), or bind the method to it`
    : `call it on the ${name} itself (with Vue, keep markRaw(${name}) in reactive data)`;
  return new TypeError(`${name}: ${called}; ${cure}`);
}

type Member = (this: object, ...args: unknown[]) => unknown;

/** Makes every method and accessor of a class throw that, where `isOne` says no. */
export function expectItself(name: string, prototype: object, isOne: (value: object) => boolean): void {
  const checked = (inner: Member): Member =>
    function (...args) {
      if (this !== undefined && isOne(this)) return inner.apply(this, args);
      throw notItself(name, this === undefined);
    };
  for (const [key, member] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
    const parts = member as Partial<Record<string, Member>>;
    for (const part of ["value", "get", "set"]) if (parts[part]) parts[part] = checked(parts[part]);
    if (key !== "constructor") Object.defineProperty(prototype, key, member);
  }
}
