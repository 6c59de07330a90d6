/** The page's state in the address: `#page?key=value&…`. Only what differs from the defaults is written. */
export interface Address {
  readonly page: string;
  readonly values: URLSearchParams;
}

export function readAddress(hash: string): Address {
  const [page, query = ""] = hash.replace(/^#/, "").split("?");
  return { page, values: new URLSearchParams(query) };
}

export function writeAddress(page: string, values: URLSearchParams): string {
  // Commas and colons are allowed in a fragment, and easier to read as they are.
  const query = values.toString().replaceAll("%2C", ",").replaceAll("%3A", ":");
  return query ? `#${page}?${query}` : `#${page}`;
}
