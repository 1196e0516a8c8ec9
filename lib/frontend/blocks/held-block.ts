// A block on its way in. It is held once: as it came until it is sealed, from then on as its record. In the rare case
// that it has to be stored anew (its lease was broken, its key is going) the record is opened again.
import { assert } from '../../foundation/assert.ts';
import type { BlockId } from '../../foundation/ids.ts';
import { type Kek, openBlock, ownBlockId, type SealedBlock } from '../../keys/envelope.ts';

interface Sealed {
  readonly block: SealedBlock;
  readonly kek: Kek;
}

export interface HeldBlockOptions {
  /** The namespace that shares the block with no other one. */
  readonly owner?: string | undefined;
  /** Nobody looks at the bytes any more. Without it they are garbage when the caller drops them, too. */
  readonly free?: (() => void) | undefined;
}

export class HeldBlock {
  readonly id: BlockId;
  readonly length: number;
  readonly #owner: string | undefined;
  #plaintext: Uint8Array | undefined;
  #free: (() => void) | undefined;
  #sealed: Sealed | undefined;

  /** `sha256` is that of the bytes. */
  constructor(sha256: BlockId, plaintext: Uint8Array, { owner, free }: HeldBlockOptions = {}) {
    this.id = owner === undefined ? sha256 : ownBlockId(owner, sha256);
    this.length = plaintext.length;
    this.#owner = owner;
    this.#plaintext = plaintext;
    this.#free = free;
  }

  /** Not to be kept: what is freed has no bytes any more. */
  plaintext(): Uint8Array {
    if (this.#plaintext !== undefined) {
      // Memory that was given away has no length: nothing is stored under a name that it does not have.
      assert(this.#plaintext.length === this.length, 'a block has its bytes until it is sealed or dropped');
      return this.#plaintext;
    }
    assert(this.#sealed !== undefined, 'a block that is dropped is asked for no more');
    const { block, kek } = this.#sealed;
    const owners = this.#owner === undefined ? [] : [this.#owner];
    return openBlock(block.record, block.wrappedBek, kek.key, { recordId: block.recordId, blockId: this.id, owners });
  }

  /** The record holds it from now on, until it is dropped. */
  sealedAs(block: SealedBlock, kek: Kek): void {
    this.#sealed = { block, kek };
    this.#forget();
  }

  /** It is in the store, or will not be. */
  drop(): void {
    this.#sealed = undefined;
    this.#forget();
  }

  #forget(): void {
    this.#plaintext = undefined;
    this.#free?.();
    this.#free = undefined;
  }
}

/** Each block once. */
export function heldById(blocks: Iterable<HeldBlock>): Map<BlockId, HeldBlock> {
  const byId = new Map<BlockId, HeldBlock>();
  for (const block of blocks) {
    if (byId.has(block.id)) block.drop();
    else byId.set(block.id, block);
  }
  return byId;
}
