// Cuts a stream of bytes at fixed offsets of the block size. Memory is one block, whatever the pieces.
export type ByteSource = Uint8Array | AsyncIterable<Uint8Array> | (() => AsyncIterable<Uint8Array>);

/** Where blocks come to lie. */
export interface BlockMemory {
  take(bytes: number): Uint8Array<ArrayBuffer>;
  /** Nobody looks at it any more. */
  give(memory: ArrayBuffer): void;
}

const NEW_MEMORY: BlockMemory = {
  take: (bytes) => Buffer.allocUnsafeSlow(bytes),
  give: (memory) => void memory.transfer(0),
};

export interface CutOptions {
  readonly memory?: BlockMemory;
  /** Of all of it, if known: what is to be a whole block has room for that from the start. */
  readonly sizeBytes?: number | undefined;
}

/** Blocks of `blockBytes`, the last one shorter; none for an empty body. Each is the caller's to keep. */
export async function* cutBlocks(
  source: ByteSource,
  blockBytes: number,
  { memory = NEW_MEMORY, sizeBytes = 0 }: CutOptions = {},
): AsyncGenerator<Uint8Array> {
  if (source instanceof Uint8Array) {
    for (let at = 0; at < source.length; at += blockBytes) yield source.subarray(at, at + blockBytes);
    return;
  }
  // A block of one piece is copied once, and so is one of many, into a whole block that is filled as they come.
  let block: Uint8Array<ArrayBuffer> | undefined;
  let held = 0;
  let at = 0;
  for await (const piece of typeof source === 'function' ? source() : source) {
    let rest = piece;
    while (rest.length > 0) {
      const taken = rest.subarray(0, blockBytes - held);
      if (block === undefined) block = memory.take(Math.max(taken.length, Math.min(blockBytes, sizeBytes - at)));
      else if (block.length < held + taken.length) block = longer(memory, block, held, blockBytes);
      // A copy: the source may use its buffer again for the next piece.
      block.set(taken, held);
      held += taken.length;
      at += taken.length;
      rest = rest.subarray(taken.length);
      if (held < blockBytes) continue;
      yield block;
      block = undefined;
      held = 0;
    }
  }
  if (block !== undefined && held > 0) yield block.subarray(0, held);
}

/** The block with its first `held` bytes, in memory of `bytes`. */
function longer(
  memory: BlockMemory,
  block: Uint8Array<ArrayBuffer>,
  held: number,
  bytes: number,
): Uint8Array<ArrayBuffer> {
  const longer = memory.take(bytes);
  longer.set(block.subarray(0, held));
  memory.give(block.buffer);
  return longer;
}
