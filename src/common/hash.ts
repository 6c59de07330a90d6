/** One word into the hash: MurmurHash3's step. Every bit reaches bits on both sides, so damage does not cancel. */
export function mix(hash: number, word: number): number {
  const scrambled = Math.imul(word, 0xcc9e2d51);
  const mixed = hash ^ Math.imul((scrambled << 15) | (scrambled >>> 17), 0x1b873593);
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}

export function hashOf(words: ArrayLike<number>): number {
  let hash = 0;
  for (let i = 0; i < words.length; i++) hash = mix(hash, words[i]);
  return hash;
}
