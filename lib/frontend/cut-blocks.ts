// Cuts a stream of bytes at fixed offsets of the block size. Memory is one block, whatever the pieces.
export type ByteSource = Uint8Array | AsyncIterable<Uint8Array> | (() => AsyncIterable<Uint8Array>);

/** Blocks of `blockBytes`, the last one shorter; none for an empty body. Each is the caller's to keep. */
export async function* cutBlocks(source: ByteSource, blockBytes: number): AsyncGenerator<Uint8Array> {
  if (source instanceof Uint8Array) {
    for (let at = 0; at < source.length; at += blockBytes) yield source.subarray(at, at + blockBytes);
    return;
  }
  let parts: Uint8Array[] = [];
  let held = 0;
  for await (const piece of typeof source === 'function' ? source() : source) {
    let rest = piece;
    while (held + rest.length >= blockBytes) {
      const cut = blockBytes - held;
      parts.push(rest.subarray(0, cut));
      yield joined(parts, blockBytes);
      parts = [];
      held = 0;
      rest = rest.subarray(cut);
    }
    if (rest.length > 0) {
      // A copy: the source may use its buffer again for the next piece.
      parts.push(rest.slice());
      held += rest.length;
    }
  }
  if (held > 0) yield joined(parts, held);
}

function joined(parts: readonly Uint8Array[], bytes: number): Uint8Array {
  const out = Buffer.allocUnsafe(bytes);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
