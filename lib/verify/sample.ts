// The storage watcher, a black box: one block in a hundred is read back as a client would read it, a minute, an hour, a
// day, a week and a month after it was first seen, and its SHA-256 compared with its name. It knows nothing of volumes
// and drives: what all the other checks believe in has to give back the bytes.
import { createHash } from 'node:crypto';
import { isPocketfulError } from '../foundation/errors.ts';
import type { BlockId } from '../foundation/ids.ts';
import { ROWS_PER_TRANSACTION } from '../limits/panda.ts';
import type { Write } from '../panda/panda.ts';
import { blockPartitions } from '../panda/rows/block-row.ts';
import { readOrTell } from '../panda/rows/row-reader.ts';
import type { Components } from '../volume/rows/components.ts';
import { rowsOf } from '../volume/rows/read-rows.ts';
import { transact } from '../volume/rows/transact.ts';
import type { Findings } from './findings.ts';
import { keepFindings, type NameRange } from './keep-findings.ts';
import { checksDue, sampledRange } from './sample-plan.ts';
import { type SampleRow, sampleAttributes, sampleFromRow, sampleKey, samplePartition } from './sample-row.ts';

/** A block by its id, as clients get it. Throws `missing` if there is no such block. */
export type ReadBlock = (id: BlockId) => Promise<Uint8Array>;

export interface SampleOptions {
  readonly findings: Findings;
  /** Read every sampled block now, due or not. */
  readonly isAll?: boolean | undefined;
  /** Asked before every read. */
  readonly isOver?: (() => boolean) | undefined;
  readonly onProgress?: ((blocks: number, bytes: number) => void) | undefined;
}

export interface SampleReport {
  /** Sampled blocks there are, as far as was looked. */
  readonly sampled: number;
  readonly read: number;
  readonly bytes: number;
  /** Blocks that could not be read now. */
  readonly unread: number;
  readonly faults: readonly { readonly block: BlockId; readonly fault: string }[];
  /** False: the pass was cut. */
  readonly done: boolean;
}

export async function sampleBlocks(
  components: Components,
  readBlock: ReadBlock,
  options: SampleOptions,
): Promise<SampleReport> {
  const watcher = new Watcher(components, readBlock, options);
  for (const partition of blockPartitions()) if (!(await watcher.watch(partition))) break;
  return watcher.report;
}

class Watcher {
  readonly #components: Components;
  readonly #readBlock: ReadBlock;
  readonly #options: SampleOptions;
  readonly #faults: { block: BlockId; fault: string }[] = [];
  #sampled = 0;
  #read = 0;
  #bytes = 0;
  #unread = 0;
  #done = true;

  constructor(components: Components, readBlock: ReadBlock, options: SampleOptions) {
    this.#components = components;
    this.#readBlock = readBlock;
    this.#options = options;
  }

  get report(): SampleReport {
    return {
      sampled: this.#sampled,
      read: this.#read,
      bytes: this.#bytes,
      unread: this.#unread,
      faults: this.#faults,
      done: this.#done,
    };
  }

  /** The sampled blocks of one partition; false if the pass is over. */
  async watch(partition: string): Promise<boolean> {
    const { panda, settings } = this.#components;
    const range = sampledRange(partition.slice(-2));
    const known = new Map<string, SampleRow>();
    for await (const row of rowsOf(panda, samplePartition(settings.cell), range.from, range.to)) {
      const one = readOrTell(row, sampleFromRow, () => {});
      if (one !== undefined) known.set(one.block, one);
    }
    const nowMs = Math.max(0, this.#components.clock.nowMs());
    const writes: Write[] = [];
    const seen: Seen = { faults: new Map(), blocks: new Set() };
    for await (const { sort } of rowsOf(panda, partition, range.from, range.to)) {
      const block = sort as BlockId;
      this.#sampled += 1;
      const row = known.get(block) ?? { block, sinceMs: nowMs, checks: 0 };
      const after = await this.#check(row, nowMs, seen);
      if (after !== known.get(block)) writes.push(this.#put(after));
      known.delete(block);
      if (!this.#done) break;
    }
    // What was deleted is watched no more.
    if (this.#done)
      for (const block of known.keys()) {
        writes.push({ kind: 'delete', ...this.#key(block as BlockId) });
        seen.blocks.add(block);
      }
    for (let at = 0; at < writes.length; at += ROWS_PER_TRANSACTION)
      await transact(this.#components, writes.slice(at, at + ROWS_PER_TRANSACTION), async () => false);
    await this.#keep(range, seen);
    return this.#done;
  }

  #key = (block: BlockId) => sampleKey(this.#components.settings.cell, block);

  #put = (row: SampleRow): Write => ({ kind: 'put', ...this.#key(row.block), attributes: sampleAttributes(row) });

  /** The row as it is afterwards: a block that cannot be read back is due until it can. */
  async #check(row: SampleRow, nowMs: number, seen: Seen): Promise<SampleRow> {
    const { isAll = false, isOver = () => false, onProgress } = this.#options;
    const due = checksDue(row, nowMs);
    if (due === undefined && !isAll) return row;
    if (isOver()) {
      this.#done = false;
      return row;
    }
    let fault: string | undefined;
    try {
      const bytes = await this.#readBlock(row.block);
      this.#bytes += bytes.length;
      if (createHash('sha256').update(bytes).digest('hex') !== row.block) fault = 'BLOCK_OTHER';
    } catch (error) {
      if (!isPocketfulError(error)) throw error;
      if (error.kind === 'missing') return row; // deleted meanwhile
      if (error.kind === 'retry' || error.kind === 'unknown') {
        this.#unread += 1;
        return row;
      }
      fault = error.code;
    }
    this.#read += 1;
    seen.blocks.add(row.block);
    onProgress?.(this.#read, this.#bytes);
    if (fault !== undefined) {
      seen.faults.set(row.block, fault);
      return row;
    }
    if (due === undefined) return row;
    return row.sinceMs > nowMs ? { ...row, sinceMs: nowMs, checks: 0 } : { ...row, checks: due };
  }

  async #keep(range: NameRange, { faults, blocks }: Seen): Promise<void> {
    for (const [block, fault] of faults) {
      this.#faults.push({ block, fault });
      this.#options.findings.add('lost', 'sample', `block ${block} cannot be read back: ${fault}`);
    }
    if (blocks.size > 0) await keepFindings(this.#components, 'sample', range, faults, (name) => blocks.has(name));
  }
}

interface Seen {
  readonly faults: Map<BlockId, string>;
  /** Blocks that were read, and those that are gone. */
  readonly blocks: Set<string>;
}
