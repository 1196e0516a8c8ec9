// Bulk puts of a stage: staged parts are gathered by one call, which puts them as the embedded engine puts much at
// once (lib/live-coder/bulk-coder.ts), into erasure-coded groups and past the hot tier. Nothing of them is a row until
// then, and whatever was cut off may be gathered again: blocks that are there are known.
import type { Shelf } from '../drive/shelf.ts';
import { PutTally } from '../engine/status/put-tally.ts';
import { invalid, retryLater } from '../foundation/errors.ts';
import type { ObjectVersion } from '../foundation/ids.ts';
import { StagedParts } from '../frontend/bulk/staged-parts.ts';
import { Frontend, type PutItem, type PutOutcome } from '../frontend/frontend.ts';
import type { PressureSignal } from '../frontend/hot-gauge.ts';
import { KekRing } from '../frontend/kek-ring.ts';
import { GATHER_BYTES_MAX, GATHER_GROUPS, GATHER_MS_MAX, PART_BYTES_MAX } from '../limits/stage.ts';
import { BulkCoder } from '../live-coder/bulk-coder.ts';
import { bulkFromBytes, bulkSettings } from '../live-coder/bulk-size.ts';
import type { VolumeStore } from '../volume/volume-store.ts';
import { putClass } from '../volume/write/append.ts';
import type { RequestOf, ResultOf } from './protocol.ts';

type ExtendRequest = Omit<RequestOf<'bulkExtend'>, 'op'>;
type GatherRequest = Pick<RequestOf<'bulkGather'>, 'namespace' | 'parts' | 'objects'>;

export class BulkPuts {
  readonly #store: VolumeStore;
  readonly #staged: StagedParts;
  readonly #frontend: Frontend;
  readonly #groupBytes: number;
  readonly #tally: PutTally;

  constructor(store: VolumeStore, shelf: Shelf, onPressure?: PressureSignal) {
    const { settings, randomness } = store.components;
    this.#store = store;
    this.#staged = new StagedParts(shelf, new KekRing(store.components), randomness);
    this.#groupBytes = bulkSettings(settings).groupBytesMin;
    // That it is much was decided by who sends it: a group is enough.
    const bulk = new BulkCoder(store, this.#groupBytes);
    this.#frontend = new Frontend(store, onPressure, bulk);
    this.#tally = new PutTally(store.components, bulk);
  }

  /** Undefined: there is no hot tier to go past. */
  static of(store: VolumeStore, shelf: Shelf | undefined, onPressure?: PressureSignal): BulkPuts | undefined {
    if (shelf === undefined || putClass(store.components.settings) !== 'hot') return undefined;
    return new BulkPuts(store, shelf, onPressure);
  }

  begin(): ResultOf<'bulkBegin'> {
    const { settings } = this.#store.components;
    const gatherBytesMax = Math.max(
      bulkFromBytes(settings),
      Math.min(GATHER_BYTES_MAX, GATHER_GROUPS * this.#groupBytes),
    );
    return { gatherBytesMax, partBytesMax: PART_BYTES_MAX, takesMore: true };
  }

  stage(namespace: string, bytes: Uint8Array): Promise<string> {
    return this.#staged.stage(namespace, bytes);
  }

  /**
   * One outcome per object, in their order; `retry` BULK_LATER for those there was no time for. What is staged is kept
   * until all of it is stored.
   */
  async gather({ namespace, parts, objects }: GatherRequest, ownBlocks: boolean): Promise<PutOutcome[]> {
    if (new Set(objects.map(({ key }) => key)).size < objects.length)
      throw invalid('KEY_TWICE', 'a key is there twice in one request');
    const staged = this.#staged.bytesOf(namespace, parts);
    if (objects.some(({ offset, sizeBytes }) => offset + sizeBytes > staged.sizeBytes))
      throw invalid('REQUEST_INVALID', 'request: objects: an object ends after the parts do');
    const mayGoOn = this.#untilTimeIsUp();
    function* items(): Generator<PutItem> {
      for (const { offset, ifVersion, ...object } of objects) {
        if (!mayGoOn()) return;
        const body = () => staged.range(offset, object.sizeBytes);
        yield { namespace, ...object, ifVersion: ifVersion as PutItem['ifVersion'], ownBlocks, body };
      }
    }
    const found = new Map<string, PutOutcome>();
    for await (const outcome of this.#frontend.putAll(items())) found.set(outcome.key, outcome);
    await this.#tally.write();
    const outcomes = objects.map(({ key }) => found.get(key) ?? { key, ok: false as const, error: later() });
    if (outcomes.every(({ ok }) => ok)) await this.#staged.remove(parts);
    return outcomes;
  }

  /** How many bytes of a long object there was time for: those may not be asked for again. */
  async extend({ namespace, upload, at, parts, offset }: ExtendRequest, ownBlocks: boolean): Promise<number> {
    const staged = this.#staged.bytesOf(namespace, parts);
    const sizeBytes = staged.sizeBytes - offset;
    if (sizeBytes <= 0) throw invalid('REQUEST_INVALID', 'request: offset: it is after the parts');
    const storedBytes = await this.#frontend.extendUpload({
      ...{ namespace, at, ownBlocks },
      upload: upload as ObjectVersion,
      body: () => staged.range(offset, sizeBytes),
      mayGoOn: this.#untilTimeIsUp(),
    });
    await this.#tally.write();
    if (storedBytes === sizeBytes) await this.#staged.remove(parts);
    return storedBytes;
  }

  #untilTimeIsUp(): () => boolean {
    const { clock } = this.#store.components;
    const untilMs = clock.monotonicMs() + GATHER_MS_MAX;
    return () => clock.monotonicMs() <= untilMs;
  }
}

const later = (): Error => retryLater('BULK_LATER', 'there was no time for it in this gathering: ask for it again');
