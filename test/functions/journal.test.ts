// The journal function on memory bodies: batches of a stream in two shards, in their order, again after whatever dies
// under them, and beside each other. What the drives give back at the end is the table.
import { describe, expect, it } from 'vitest';
import { newJournal } from '../../functions/journal/handler.ts';
import { gatherRows } from '../../lib/engine/journal/gather-rows.ts';
import { stageKeysOn } from '../../lib/engine/ship/stage-keys.ts';
import { keksAttributes, keksKey } from '../../lib/engine/wire/keks-row.ts';
import { CountingPlan, type FaultPlan, scriptedPlan } from '../../lib/foundation/faults.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { Shelves } from '../../lib/journal/shelves.ts';
import { itemOf } from '../../lib/panda/dynamo-items.ts';
import { MemoryPanda } from '../../lib/panda/memory-panda.ts';
import type { Row, Write } from '../../lib/panda/panda.ts';
import { encodeAttributes } from '../../lib/panda/row-encoding.ts';
import { storeAttributes, storeKey } from '../../lib/panda/rows/store-row.ts';
import { MemoryStream } from '../../lib/stream/memory-stream.ts';
import { MemoryShelf } from '../journal/memory-shelf.ts';
import { dies, FaultyShelf } from '../journal/world.ts';
import { TINY, World } from '../store/harness.ts';
import { context } from './events.ts';

Object.assign(process.env, { POWERTOOLS_LOG_LEVEL: 'SILENT', POWERTOOLS_METRICS_DISABLED: 'true' });

const DRIVES = 6;
const KEKS = [1, 2].map((version) => ({
  ...{ version, createdAtMs: version, material: new Uint8Array([version, 200]) },
  state: version === 2 ? ('current' as const) : ('previous' as const),
}));

/** Keeps what a stream would deliver: by shard, in order. */
class StreamedPanda extends MemoryPanda {
  readonly shards: unknown[][] = [[], []];

  override async transact(writes: readonly Write[]): Promise<void> {
    await super.transact(writes);
    for (const { kind, partition, sort } of writes) {
      if (kind === 'check' || partition === 'journal') continue;
      const row = await this.get({ partition, sort });
      const Keys = itemOf({ partition, sort }, {});
      const NewImage = row === undefined ? undefined : itemOf(row, row.attributes);
      const dynamodb = { ApproximateCreationDateTime: 1_767_225_600, SequenceNumber: '1', Keys, NewImage };
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

class JournalStage {
  readonly panda = new StreamedPanda();
  readonly world = new World(1, TINY, DRIVES, this.panda);
  readonly shelves = Array.from({ length: DRIVES }, (_, i) => new MemoryShelf(`bucket-${i}`));
  readonly random: SeededRandomness;
  /** Delivered so far, by shard. */
  readonly at = [0, 0];

  constructor(seed: number) {
    this.random = new SeededRandomness(seed);
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
    const { volumes } = this.world.start({ othersDead: true, ...(plan === undefined ? {} : { plan }) });
    const shelfAt = (bucket: string) => {
      const shelf = this.shelves.find(({ label }) => label === bucket) as MemoryShelf;
      return plan === undefined ? shelf : new FaultyShelf(shelf, () => plan);
    };
    const open = async () => ({
      store: volumes,
      stream: new MemoryStream(this.world.clock, 3),
      metrics: { put: async () => {} },
    });
    await newJournal(open, shelfAt)({ Records }, context());
    this.at[shard] = from + Records.length;
    return true;
  }

  async deliverAll(): Promise<void> {
    for (const shard of [0, 1]) while (await this.deliver(shard));
  }

  async expectBack(without: readonly number[] = []): Promise<void> {
    const places = this.shelves.flatMap((shelf, drive) =>
      without.includes(drive) ? [] : [{ drive, shelf, domain: `${drive}`, isActive: true }],
    );
    const shelves = new Shelves(places, 1);
    const { storeId, randomness, keks } = this.world.start().components;
    const ports = { storeId, randomness, kekOf: (version: number) => keks.kek(version) };
    const lines: string[] = [];
    const lineOf = ({ partition, sort, attributes }: Row): string =>
      `${partition}|${sort} ${encodeAttributes(attributes)}`;
    await gatherRows(ports, shelves, {
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
  }
}

describe('the journal function', () => {
  it('ships a first snapshot, then batches, and the key versions beside them', async () => {
    const stage = new JournalStage(1);
    await stage.begin();
    for (let i = 0; i < 40; i++) await stage.write();
    await stage.deliverAll();
    await stage.expectBack();
    await stage.expectBack([0, 1, 2]);
    const names = stage.shelves.flatMap(({ objects }) => [...objects.keys()]);
    expect(names.filter((name) => name === '0/keys-00000001').length).toBe(DRIVES);
    await stage.keys(2, KEKS);
    await stage.deliverAll();
    const later = stage.shelves.flatMap(({ objects }) => [...objects.keys()].filter((name) => name.includes('keys')));
    expect([...new Set(later)]).toEqual(['0/keys-00000002']);
    await stage.expectBack([3, 4, 5]);
  });

  it.each(['before', 'after'] as const)('that dies %s any call is delivered its batch again', async (mode) => {
    let deaths = 0;
    for (let at = 1; ; at++) {
      const stage = new JournalStage(2);
      await stage.begin();
      if (at % 2 === 0) await stage.deliverAll();
      for (let i = 0; i < 6; i++) await stage.write();
      stage.world.clock.advance(3_600_000);
      const isDead = await dies(() => stage.deliver(0, new CountingPlan(at, mode)));
      await stage.deliver(1);
      await stage.deliverAll();
      await stage.expectBack();
      if (!isDead) break;
      deaths += 1;
      expect(at).toBeLessThan(300);
    }
    expect(deaths).toBeGreaterThan(10);
  });

  it('beside others, with drives and a table that fail now and then', async () => {
    for (let seed = 10; seed < 25; seed++) {
      const stage = new JournalStage(seed);
      await stage.begin();
      const rate = 4 + stage.random.below(40);
      const plan = scriptedPlan(() => (stage.random.below(rate) === 0 ? 'before-error' : 'none'));
      for (let i = 0; i < 30; i++) {
        for (let n = stage.random.below(4); n >= 0; n--) await stage.write();
        stage.world.clock.advance(stage.random.below(600_000));
        await Promise.allSettled([stage.deliver(0, plan), stage.deliver(1, plan)]);
      }
      await stage.deliverAll();
      await stage.expectBack([seed % DRIVES, (seed + 2) % DRIVES]);
    }
  });

  it('refuses an event that is none', async () => {
    const stage = new JournalStage(3);
    const open = async () => ({
      store: stage.world.start().volumes,
      stream: new MemoryStream(stage.world.clock, 3),
      metrics: { put: async () => {} },
    });
    const handler = newJournal(open, () => stage.shelves[0] as MemoryShelf);
    await expect(handler({ Records: [{ eventName: 'INSERT' }] }, context())).rejects.toMatchObject({
      name: 'PocketfulInvalid',
    });
  });
});
