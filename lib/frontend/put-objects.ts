// PUT of many objects: bodies are read and cut a few at a time, small objects gathered into batches the size of an
// append, long ones written in segments. Memory is bounded by PUT_MEMORY_BYTES_MAX, whatever comes in.
import { createHash } from 'node:crypto';
import { chained } from '../foundation/chained.ts';
import { type BlockId, newObjectVersion, type ObjectVersion } from '../foundation/ids.ts';
import { SHARED_LANE } from '../foundation/lane.ts';
import { Outbox } from '../foundation/outbox.ts';
import { BODIES_AT_ONCE, PUT_AHEAD_BYTES_MAX, RECORD_SLACK_BYTES } from '../limits/frontend.ts';
import type { ObjectRow } from '../panda/rows/object-row.ts';
import { etagOf } from '../panda/rows/objects/object-form.ts';
import type { VolumeStore } from '../volume/volume-store.ts';
import type { BulkWriter } from '../volume/write/bulk-stream.ts';
import { type HeldBlock, heldById } from './blocks/held-block.ts';
import { type LongTurn, PutRoom } from './bulk/put-room.ts';
import { type SmallBatch, SmallBatches } from './gathered/small-batches.ts';
import type { ObjectChange } from './index-plan.ts';
import type { KekRing } from './kek-ring.ts';
import { checkKey, checkMetadata, checkNamespace, checkPathKey } from './object-keys.ts';
import { factsOf, isItemError, nameOf, type PutItem, type PutName, type PutOutcome, resultOf } from './put-item.ts';
import { putLong } from './put-long.ts';
import { heldBlocksOf, storeBatch, wholeOf } from './store-blocks.ts';

export class PutObjects {
  readonly #store: VolumeStore;
  readonly #keks: KekRing;
  readonly #room: PutRoom;
  readonly #out = new Outbox<PutOutcome>();
  readonly #flushes = new Set<Promise<void>>();
  /** Keys of batches under way: two puts of one key are done in the order they came. */
  readonly #inFlight = new Map<string, Promise<void>>();
  readonly #small: SmallBatches;
  /** Of bodies that are read before it is their turn. */
  #aheadBytes = 0;

  /** `waitForRoom` throws `retry` HOT_FULL when nothing can be put into hot volumes now. */
  constructor(store: VolumeStore, keks: KekRing, waitForRoom: (bytes: number) => Promise<void>, bulk?: BulkWriter) {
    this.#store = store;
    this.#keks = keks;
    this.#room = new PutRoom(store.components.settings, waitForRoom, bulk);
    this.#small = new SmallBatches(this.#room.batchBytesMax);
  }

  /**
   * One outcome for each item, in the order they become durable. A failing item does not stop the others; a crash of
   * the process does.
   */
  async *run(items: AsyncIterable<PutItem> | Iterable<PutItem>): AsyncGenerator<PutOutcome> {
    const reading = this.#readAll(items).then(
      () => this.#out.end(),
      (error: unknown) => this.#out.fail(error),
    );
    let isBroken = false;
    try {
      yield* this.#out;
    } catch (error) {
      // Not a fault of an item: a bug, or the end of the process. Work under way may never return.
      isBroken = true;
      throw error;
    } finally {
      if (!isBroken) await Promise.allSettled([reading, ...this.#flushes]);
    }
  }

  async #readAll(items: AsyncIterable<PutItem> | Iterable<PutItem>): Promise<void> {
    // Bodies are read a few at once, but taken in order, so that a later put of the same key comes later.
    const ahead: Promise<void>[] = [];
    let previous: Promise<void> = Promise.resolve();
    try {
      for await (const item of items) {
        const before = previous;
        previous = this.#readOne(item, before);
        previous.catch(() => {});
        ahead.push(previous);
        // Whose owner reads it ahead is not read beside others here.
        while (ahead.length >= (item.whole === undefined ? BODIES_AT_ONCE : 1)) await ahead.shift();
      }
      await Promise.all(ahead);
      await this.#flush();
    } finally {
      this.#room.reader?.end();
    }
    await Promise.all(this.#flushes);
  }

  /** Reads a body; hands it on when all before it were handed on. */
  async #readOne(item: PutItem, before: Promise<void>): Promise<void> {
    const ahead = { bytes: 0 };
    try {
      checkNamespace(item.namespace);
      if (item.isAnyKey) checkKey(item.key);
      else checkPathKey(item.key);
      checkMetadata(item.metadata);
      const { blockBytesMax } = this.#store.components.settings;
      const whole = await wholeOf(item, blockBytesMax);
      const rest = whole === undefined ? heldBlocksOf(item, blockBytesMax) : undefined;
      const head = rest && (await this.#readHead(rest, before, ahead, item.sizeBytes));
      await before;
      if (head === undefined) await this.#add(item, whole ?? []);
      else if (head.isWhole) await this.#add(item, head.blocks);
      else await this.#addLong(item, head.blocks, rest as AsyncGenerator<HeldBlock>);
    } catch (error) {
      if (!isItemError(error)) throw error;
      this.#out.push({ key: item.key, ok: false, error });
      await before;
    } finally {
      this.#aheadBytes -= ahead.bytes;
    }
  }

  /**
   * The first blocks of a body, up to what a small object may have. When much is read ahead already, or will be by
   * those who have begun to, it waits for its turn.
   */
  async #readHead(
    blocks: AsyncGenerator<HeldBlock>,
    before: Promise<void>,
    ahead: { bytes: number },
    sizeBytes = 0,
  ): Promise<{ blocks: HeldBlock[]; isWhole: boolean }> {
    const { blockBytesMax } = this.#store.components.settings;
    const bytesMax = Math.max(this.#room.batchBytesMax / 4, blockBytesMax);
    const reads = (count: number): void => {
      ahead.bytes += count;
      this.#aheadBytes += count;
    };
    const head: HeldBlock[] = [];
    let bytes = 0;
    for (;;) {
      const expected = Math.min(Math.max(0, sizeBytes - ahead.bytes), blockBytesMax);
      reads(expected);
      if (this.#aheadBytes > PUT_AHEAD_BYTES_MAX) await before;
      const next = await blocks.next();
      reads((next.value?.length ?? 0) - expected);
      if (next.done) return { blocks: head, isWhole: true };
      head.push(next.value);
      bytes += next.value.length + RECORD_SLACK_BYTES;
      if (bytes > bytesMax && head.length > 1) return { blocks: head, isWhole: false };
    }
  }

  async #add(item: PutItem, blocks: readonly HeldBlock[]): Promise<void> {
    if (item.verify !== undefined) await item.verify();
    const row = this.#rowOf(item, newObjectVersion(this.#store.components.randomness), blocks);
    const recordBytes = blocks.reduce((sum, { length }) => sum + length + RECORD_SLACK_BYTES, 0);
    const { laneOf } = this.#store.components;
    const lane = laneOf === undefined ? SHARED_LANE : await laneOf(item.namespace);
    const name = nameOf(item);
    if (this.#small.holds(name) || !this.#small.hasRoomFor({ recordBytes, blocks })) await this.#flush();
    const earlier = this.#inFlight.get(name);
    if (earlier !== undefined) await this.#room.after(earlier);
    // Its body, who reads it and what was found of it are no part of what waits to be stored.
    const { namespace, key, ifVersion } = item;
    this.#small.add(lane, { name, item: { namespace, key, ifVersion }, row, blocks, recordBytes });
  }

  #rowOf(item: PutItem, version: ObjectVersion, blocks: readonly HeldBlock[]): ObjectRow {
    return {
      namespace: item.namespace,
      key: item.key,
      version,
      sizeBytes: blocks.reduce((sum, { length }) => sum + length, 0),
      blockBytes: this.#store.components.settings.blockBytesMax,
      etag: etagOf(blocks.map(({ id }) => id)),
      createdAtMs: Math.max(0, this.#store.components.clock.nowMs()),
      metadata: item.metadata,
      blocks: blocks.map(({ id }) => id),
      segments: undefined,
      ...factsOf(item),
    };
  }

  /** Starts writing what was gathered; waits only while too much is under way. */
  async #flush(): Promise<void> {
    for (const batch of this.#small.takeAll()) {
      const give = await this.#room.memory(batch.objects.flatMap(({ blocks }) => blocks));
      const end = this.#room.bulk?.stream.begin();
      const stored = this.#storeSmall(batch).finally(() => {
        give();
        end?.();
      });
      this.#track(batch.objects, stored);
    }
  }

  #track(batch: readonly { readonly name: string; readonly item: PutName }[], work: Promise<void>): void {
    const task: Promise<void> = work
      .catch((error: unknown) => {
        if (!isItemError(error)) throw error;
        for (const { item } of batch) this.#out.push({ key: item.key, ok: false, error });
      })
      .finally(() => {
        this.#flushes.delete(task);
        for (const { name } of batch) if (this.#inFlight.get(name) === task) this.#inFlight.delete(name);
      });
    task.catch((error: unknown) => this.#out.fail(error));
    this.#flushes.add(task);
    for (const { name } of batch) this.#inFlight.set(name, task);
  }

  async #storeSmall({ lane, objects }: SmallBatch): Promise<void> {
    await this.#room.begin(objects.reduce((sum, { recordBytes }) => sum + recordBytes, 0));
    const blocks = heldById(objects.flatMap(({ blocks: of }) => of));
    const changes = objects.map(
      ({ item, row }): ObjectChange => ({
        namespace: item.namespace,
        key: item.key,
        next: row,
        ifVersion: item.ifVersion,
      }),
    );
    const { outcomes, stored } = await storeBatch(this.#store, this.#keks, {
      blocks,
      changes,
      bulk: this.#room.bulk,
      lane,
    });
    const counted = new Set<BlockId>();
    for (const [i, { item, row, blocks: of }] of objects.entries()) {
      const { error, version = row.version } = outcomes[i] ?? {};
      if (error !== undefined) {
        this.#out.push({ key: item.key, ok: false, error });
        continue;
      }
      let newBytes = 0;
      let dedupedBlocks = 0;
      for (const { id } of of) {
        const bytes = counted.has(id) ? undefined : stored.newBytes.get(id);
        if (bytes === undefined) dedupedBlocks += 1;
        else newBytes += bytes;
        counted.add(id);
      }
      this.#out.push(resultOf(item, { ...row, version }, newBytes, dedupedBlocks));
    }
  }

  async #addLong(item: PutItem, head: readonly HeldBlock[], rest: AsyncGenerator<HeldBlock>): Promise<void> {
    const name = nameOf(item);
    if (this.#small.holds(name)) await this.#flush();
    await this.#room.after(this.#inFlight.get(name));
    const turn = await this.#room.longPut();
    const done = this.#putLong(item, head, rest, turn).finally(turn.done);
    this.#track([{ name, item }], done);
  }

  async #putLong(
    item: PutItem,
    head: readonly HeldBlock[],
    rest: AsyncGenerator<HeldBlock>,
    turn: LongTurn,
  ): Promise<void> {
    await this.#room.begin(item.sizeBytes ?? 0);
    const { components } = this.#store;
    const version = newObjectVersion(components.randomness);
    const nowMs = Math.max(0, components.clock.nowMs());
    const lane = await components.laneOf?.(item.namespace);
    const etag = createHash('sha256');
    let sizeBytes = 0;
    let count = 0;
    async function* all(): AsyncGenerator<HeldBlock> {
      for await (const plain of chained(head, rest)) {
        etag.update(plain.id, 'hex');
        sizeBytes += plain.length;
        count += 1;
        yield plain;
      }
    }
    let newBytes = 0;
    let dedupedBlocks = 0;
    const row = await putLong(this.#store, this.#keks, {
      upload: {
        version,
        namespace: item.namespace,
        key: item.key,
        owner: components.owner,
        startedAtMs: nowMs,
        segments: 0,
      },
      blocks: all(),
      ifVersion: item.ifVersion,
      room: (segment) => this.#room.segment(segment, turn.reader),
      segmentBytesMax: this.#room.segmentBytesMax,
      onRead: turn.read,
      bulk: this.#room.bulk,
      lane,
      onStored: (bytes, known) => {
        newBytes += bytes;
        dedupedBlocks += known;
      },
      publish: async (segments) => {
        await item.verify?.();
        return {
          namespace: item.namespace,
          key: item.key,
          version,
          sizeBytes,
          blockBytes: components.settings.blockBytesMax,
          etag: `${etag.digest('hex')}-${count}`,
          createdAtMs: nowMs,
          metadata: item.metadata,
          blocks: undefined,
          segments,
          ...factsOf(item),
        };
      },
    });
    this.#out.push(resultOf(item, row, newBytes, dedupedBlocks));
  }
}
