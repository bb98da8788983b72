/** All pieces of a stream as one. */
export async function collect(stream: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of stream) pieces.push(piece);
  return Uint8Array.from(Buffer.concat(pieces));
}

/** A stream of pieces that are no longer than that. */
export async function* inPieces(content: Uint8Array, pieceBytes: number): AsyncIterable<Uint8Array> {
  for (let from = 0; from < content.length; from += pieceBytes) yield content.subarray(from, from + pieceBytes);
}
