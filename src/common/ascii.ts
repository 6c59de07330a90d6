/* JSON as ASCII bytes: some realms have no TextEncoder, and a TextDecoder refuses views of shared memory. */

/** Its other characters are escaped. */
export function toBytes(json: string): Uint8Array {
  const escape = (char: string) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
  const ascii = json.replace(/[^\x20-\x7e]/g, escape);
  const bytes = new Uint8Array(ascii.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = ascii.charCodeAt(i);
  return bytes;
}

export function toText(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 1024) text += String.fromCharCode(...bytes.subarray(i, i + 1024));
  return text;
}
