// Cuts a byte stream into parts of one length (the last may be shorter), holding one part at a time.

export async function* cutAt(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  partBytes: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let pending: Uint8Array[] = [];
  let pendingBytes = 0;
  for await (let piece of source) {
    while (pendingBytes + piece.byteLength >= partBytes) {
      const taken = partBytes - pendingBytes;
      yield Buffer.concat([...pending, piece.subarray(0, taken)]);
      piece = piece.subarray(taken);
      pending = [];
      pendingBytes = 0;
    }
    if (piece.byteLength > 0) pending.push(piece);
    pendingBytes += piece.byteLength;
  }
  if (pendingBytes > 0) yield Buffer.concat(pending);
}
