// Cuts a stream of bytes at fixed offsets of the block size. Memory is one block, whatever the pieces.
export type ByteSource = Uint8Array | AsyncIterable<Uint8Array> | (() => AsyncIterable<Uint8Array>);

/** Blocks of `blockBytes`, the last one shorter; none for an empty body. Each is the caller's to keep. */
export async function* cutBlocks(source: ByteSource, blockBytes: number): AsyncGenerator<Uint8Array> {
  if (source instanceof Uint8Array) {
    for (let at = 0; at < source.length; at += blockBytes) yield source.subarray(at, at + blockBytes);
    return;
  }
  // A block of one piece is copied once, and so is one of many, into a whole block that is filled as they come.
  let block: Uint8Array | undefined;
  let held = 0;
  for await (const piece of typeof source === 'function' ? source() : source) {
    let rest = piece;
    while (rest.length > 0) {
      const taken = rest.subarray(0, blockBytes - held);
      block = withRoom(block, held, held === 0 ? taken.length : blockBytes);
      // A copy: the source may use its buffer again for the next piece.
      block.set(taken, held);
      held += taken.length;
      rest = rest.subarray(taken.length);
      if (held < blockBytes) continue;
      yield block;
      block = undefined;
      held = 0;
    }
  }
  if (block !== undefined && held > 0) yield block.subarray(0, held);
}

/** The block with its first `held` bytes, in memory of at least `bytes`. */
function withRoom(block: Uint8Array | undefined, held: number, bytes: number): Uint8Array {
  if (block !== undefined && block.length >= bytes) return block;
  const larger = Buffer.allocUnsafeSlow(bytes);
  if (block !== undefined) larger.set(block.subarray(0, held));
  return larger;
}
