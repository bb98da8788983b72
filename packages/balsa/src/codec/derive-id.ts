import { encodeUtf8 } from "./utf8.js";

const OFFSET_BASIS = 0xcbf29ce484222325n;
const PRIME = 0x100000001b3n;
const ID_BITS = 52n;
const ID_MIN = 2 ** 52;

/**
 * An ID in [2^52, 2^53) from a text, the same everywhere and for ever: FNV-1a of its UTF-8 bytes, 64 bits, folded to
 * 52 by adding the upper bits modulo 2 (as its authors advise), plus 2^52. BigInt, since it runs once a member.
 */
export function deriveId(text: string): number {
  let hash = OFFSET_BASIS;
  for (const byte of encodeUtf8(text)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * PRIME);
  const folded = (hash >> ID_BITS) ^ BigInt.asUintN(Number(ID_BITS), hash);
  return ID_MIN + Number(folded);
}
