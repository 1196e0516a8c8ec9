// A stage whose table streams to the journal function: two shards, delivered by hand.
import { expect } from 'vitest';
import { newJournal } from '../../functions/journal/handler.ts';
import { gatherRows } from '../../lib/engine/journal/gather-rows.ts';
import { stageKeysOn } from '../../lib/engine/journal/stage-keys.ts';
import { keksAttributes, keksKey } from '../../lib/engine/wire/keks-row.ts';
import type { FaultPlan } from '../../lib/foundation/faults.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { Shelves } from '../../lib/journal/shelves.ts';
import type { Reached } from '../../lib/journal/way.ts';
import { itemOf } from '../../lib/panda/dynamo-items.ts';
import { MemoryPanda } from '../../lib/panda/memory-panda.ts';
import type { Row, Write } from '../../lib/panda/panda.ts';
import { encodeAttributes } from '../../lib/panda/row-encoding.ts';
import { storeAttributes, storeKey } from '../../lib/panda/rows/store-row.ts';
import { MemoryStream } from '../../lib/stream/memory-stream.ts';
import { MemoryShelf } from '../journal/memory-shelf.ts';
import { FaultyShelf } from '../journal/world.ts';
import { TINY, World } from '../store/harness.ts';
import { context } from './events.ts';

Object.assign(process.env, { POWERTOOLS_LOG_LEVEL: 'SILENT', POWERTOOLS_METRICS_DISABLED: 'true' });

export const DRIVES = 6;
export const KEKS = [1, 2].map((version) => ({
  ...{ version, createdAtMs: version, material: new Uint8Array([version, 200]) },
  state: version === 2 ? ('current' as const) : ('previous' as const),
}));

/** Keeps what a stream would deliver: by shard, in order. */
export class StreamedPanda extends MemoryPanda {
  readonly shards: unknown[][] = [[], []];
  /** Of the stream's records. */
  nowMs = (): number => 1_767_225_600_000;

  override async transact(writes: readonly Write[]): Promise<void> {
    await super.transact(writes);
    for (const { kind, partition, sort } of writes) {
      if (kind === 'check' || partition === 'journal') continue;
      const row = await this.get({ partition, sort });
      const Keys = itemOf({ partition, sort }, {});
      const NewImage = row === undefined ? undefined : itemOf(row, row.attributes);
      const at = { ApproximateCreationDateTime: Math.floor(this.nowMs() / 1000), SequenceNumber: '1' };
      const dynamodb = { ...at, Keys, NewImage };
      const record = { eventName: row === undefined ? 'REMOVE' : 'MODIFY', eventSource: 'aws:dynamodb', dynamodb };
      this.shards[sort.length % 2]?.push(JSON.parse(JSON.stringify(record, asBase64)));
    }
  }
}

/** Bytes as Lambda has them. */
const asBase64 = (_: string, value: unknown): unknown =>
  value instanceof Uint8Array || (value as { type?: unknown } | null)?.type === 'Buffer'
    ? Buffer.from(value as Uint8Array).toString('base64')
    : value;

export class JournalStage {
  readonly panda = new StreamedPanda();
  readonly world: World;
  readonly shelves: readonly MemoryShelf[];
  readonly random: SeededRandomness;
  /** Delivered so far, by shard. */
  readonly at = [0, 0];

  constructor(seed: number, drives = DRIVES) {
    this.random = new SeededRandomness(seed);
    this.world = new World(1, TINY, drives, this.panda);
    this.panda.nowMs = () => this.world.clock.nowMs();
    this.shelves = Array.from({ length: drives }, (_, i) => new MemoryShelf(`bucket-${i}`));
  }

  async begin(): Promise<void> {
    const { storeId } = this.world.start().components;
    const drives = this.shelves.map(({ label }) => label);
    const row = { storeId, settings: TINY, drives, createdAtMs: 0 };
    await this.panda.transact([{ kind: 'put', ...storeKey, attributes: storeAttributes(row) }]);
    await this.keys(1, KEKS.slice(0, 1));
  }

  keys(revision: number, keks: typeof KEKS): Promise<void> {
    const attributes = keksAttributes({ revision, keks });
    return this.panda.transact([{ kind: 'put', ...keksKey, attributes }]);
  }

  async write(): Promise<void> {
    // A stream tells seconds.
    this.world.clock.advance(1000);
    const key = { partition: `p/${this.random.below(3)}`, sort: 'k'.repeat(1 + this.random.below(8)) };
    const attributes = { n: this.random.below(1e6), b: this.random.bytes(5), s: new Set(['x']), l: ['y', 2] };
    await this.panda.transact([
      this.random.below(4) === 0 ? { kind: 'delete', ...key } : { kind: 'put', ...key, attributes },
    ]);
  }

  /** The next batch of a shard; it stays the next one if that fails. */
  async deliver(shard: number, plan?: FaultPlan, max = 5): Promise<boolean> {
    const from = this.at[shard] ?? 0;
    const Records = (this.panda.shards[shard] ?? []).slice(from, from + 1 + this.random.below(max));
    if (Records.length === 0) return false;
    await this.invoke({ Records }, plan);
    this.at[shard] = from + Records.length;
    return true;
  }

  snapshot(scan = false): Promise<unknown> {
    return this.invoke(scan ? { snapshot: true, scan } : { snapshot: true });
  }

  /** What the stream forgets before it is shipped. */
  forgetNext(shard: number): void {
    this.at[shard] = this.panda.shards[shard]?.length ?? 0;
  }

  shelfAt(bucket: string): MemoryShelf {
    return this.shelves.find(({ label }) => label === bucket) as MemoryShelf;
  }

  invoke(event: unknown, plan?: FaultPlan): Promise<unknown> {
    const { volumes } = this.world.start({ othersDead: true, ...(plan === undefined ? {} : { plan }) });
    const shelfAt = (bucket: string) => {
      const shelf = this.shelfAt(bucket);
      return plan === undefined ? shelf : new FaultyShelf(shelf, () => plan);
    };
    const open = async () => ({
      store: volumes,
      stream: new MemoryStream(this.world.clock, 3),
      metrics: { put: async () => {} },
    });
    return newJournal(open, shelfAt)(event, context());
  }

  async deliverAll(max = 5): Promise<void> {
    for (const shard of [0, 1]) while (await this.deliver(shard, undefined, max));
  }

  async expectBack(without: readonly number[] = []): Promise<Reached> {
    const places = this.shelves.flatMap((shelf, drive) =>
      without.includes(drive) ? [] : [{ drive, shelf, domain: `${drive}`, isActive: true }],
    );
    const shelves = new Shelves(places, 1);
    const { storeId, randomness, keks } = this.world.start().components;
    const ports = { storeId, randomness, kekOf: (version: number) => keks.kek(version) };
    const lines: string[] = [];
    const lineOf = ({ partition, sort, attributes }: Row): string =>
      `${partition}|${sort} ${encodeAttributes(attributes)}`;
    const { reached } = await gatherRows(ports, shelves, {
      atMs: undefined,
      fill: async (rows) => {
        lines.length = 0;
        for await (const row of rows) lines.push(lineOf(row));
        return lines.length;
      },
    });
    const table: string[] = [];
    for await (const page of this.panda.scan())
      table.push(...page.filter(({ partition }) => partition !== 'journal').map(lineOf));
    expect(lines.sort()).toEqual(table.sort());
    expect((await stageKeysOn(shelves)).revision).toBeGreaterThan(0);
    return reached;
  }
}
