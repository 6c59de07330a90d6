/* JSON as ASCII bytes: some realms have no TextEncoder, and a TextDecoder refuses views of shared memory. */

/** Its other characters are escaped. */
export function toBytes(json: string): Uint8Array {
  const escape = (char: string) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
  const ascii = json.replace(/[^\x20-\x7e]/g, escape);
  return Uint8Array.from(ascii, (char) => char.charCodeAt(0));
}

export function toText(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
