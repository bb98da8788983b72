function rotateLeft(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

/** Spreads each bit of a 32-bit word over all of them. */
function avalanche(word: number): number {
  let mixed = word ^ (word >>> 16);
  mixed = Math.imul(mixed, 0x7feb352d);
  mixed ^= mixed >>> 15;
  mixed = Math.imul(mixed, 0x846ca68b);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/**
 * 128 bits of a growing text, in 32-bit integer arithmetic: the same in every engine. For telling traces apart and
 * for making seeds; not for anything that must withstand an attacker.
 */
export class TextHash {
  #a = 0x243f6a88;
  #b = 0x85a308d3 | 0;
  #c = 0x13198a2e;
  #d = 0x03707344;

  update(text: string): void {
    let a = this.#a;
    let b = this.#b;
    let c = this.#c;
    let d = this.#d;
    for (let i = 0; i < text.length; i += 1) {
      const unit = text.charCodeAt(i);
      a = Math.imul(a ^ unit, 0x01000193);
      b = Math.imul(rotateLeft(b, 5) ^ unit, 0x9e3779b1);
      c = Math.imul(rotateLeft(c, 13) + unit, 0xc2b2ae35) ^ a;
      d = rotateLeft(d, 7) + Math.imul(unit + 1, 0x85ebca6b);
    }
    this.#a = a;
    this.#b = b;
    this.#c = c;
    this.#d = d;
  }

  /** One int32, as cheaply as a letter. */
  word(word: number): void {
    this.#a = Math.imul(this.#a ^ word, 0x01000193);
    this.#b = Math.imul(rotateLeft(this.#b, 5) ^ word, 0x9e3779b1);
    this.#c = Math.imul(rotateLeft(this.#c, 13) + word, 0xc2b2ae35) ^ this.#a;
    this.#d = rotateLeft(this.#d, 7) + Math.imul(word + 1, 0x85ebca6b);
  }

  /** The same as each of the four, one after the other, at half the price. */
  fourWords(first: number, second: number, third: number, fourth: number): void {
    const a1 = Math.imul(this.#a ^ first, 0x01000193);
    const a2 = Math.imul(a1 ^ second, 0x01000193);
    const a3 = Math.imul(a2 ^ third, 0x01000193);
    const a4 = Math.imul(a3 ^ fourth, 0x01000193);
    let b = Math.imul(rotateLeft(this.#b, 5) ^ first, 0x9e3779b1);
    b = Math.imul(rotateLeft(b, 5) ^ second, 0x9e3779b1);
    b = Math.imul(rotateLeft(b, 5) ^ third, 0x9e3779b1);
    let c = Math.imul(rotateLeft(this.#c, 13) + first, 0xc2b2ae35) ^ a1;
    c = Math.imul(rotateLeft(c, 13) + second, 0xc2b2ae35) ^ a2;
    c = Math.imul(rotateLeft(c, 13) + third, 0xc2b2ae35) ^ a3;
    let d = rotateLeft(this.#d, 7) + Math.imul(first + 1, 0x85ebca6b);
    d = rotateLeft(d, 7) + Math.imul(second + 1, 0x85ebca6b);
    d = rotateLeft(d, 7) + Math.imul(third + 1, 0x85ebca6b);
    this.#a = a4;
    this.#b = Math.imul(rotateLeft(b, 5) ^ fourth, 0x9e3779b1);
    this.#c = Math.imul(rotateLeft(c, 13) + fourth, 0xc2b2ae35) ^ a4;
    this.#d = rotateLeft(d, 7) + Math.imul(fourth + 1, 0x85ebca6b);
  }

  /** Four 32-bit words, of all that came so far. */
  words(): readonly [number, number, number, number] {
    const a = avalanche(this.#a ^ this.#d);
    const b = avalanche(this.#b + a);
    const c = avalanche(this.#c ^ b);
    const d = avalanche(this.#d + c);
    return [avalanche(a + d), b, c, d];
  }

  /** The same as 32 hexadecimal digits. */
  hex(): string {
    return this.words()
      .map((word) => word.toString(16).padStart(8, "0"))
      .join("");
  }
}
