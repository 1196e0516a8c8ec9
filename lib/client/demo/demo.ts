// The main job on a real tree, step by step: stored, coded, read back with drives missing, deleted, compacted, proven
// intact. It reports what it saw; showing it is the command's (bin/commands/demo.ts).
import { rename } from 'node:fs/promises';
import { relative } from 'node:path';
import { PLAN_SETTINGS } from '../../compaction/facts/plan-settings.ts';
import type { RunReport } from '../../compaction/run/reports.ts';
import { THRESHOLD_START } from '../../compaction/threshold/law.ts';
import { collectStatus } from '../../engine/status/collect-status.ts';
import type { Status } from '../../engine/status/status.ts';
import { type CompactRequest, compactStore } from '../../engine/upkeep/compaction.ts';
import { encodeStore, shredStore } from '../../engine/upkeep/tend.ts';
import type { EmbeddedStore } from '../../engine/wire/embedded/embedded-store.ts';
import { mapLimit } from '../../foundation/concurrency.ts';
import { isKind, isPocketfulError, PocketfulError } from '../../foundation/errors.ts';
import type { VolumeId } from '../../foundation/ids.ts';
import { SeededRandomness, shuffled } from '../../foundation/randomness.ts';
import { reasonLine } from '../../foundation/reason.ts';
import { DEMO_READS_AT_ONCE } from '../../limits/engine.ts';
import { bulkFromBytes } from '../../live-coder/bulk-size.ts';
import { RecordLost } from '../../volume/read/record-lost.ts';
import { freeTrash } from '../../volume/runs/free.ts';
import { DEFAULT_NAMESPACE } from '../face.ts';
import { fileToPut } from '../files/read-file.ts';
import { itemIn } from '../object-engine.ts';
import { type DemoFile, type DemoTree, sha256Of } from './demo-tree.ts';

const DELETED_PERCENT = 70;
const DRIVES_AWAY = 3;
/** Columns that bring back one of a local set of `lrc-12-2-2`. */
const LOCAL_READS = 6;
/** Least dead part of a volume worth rewriting it: so small a store can afford more than a real one. */
const COMPACT_FROM = 0.1;
/** L1 tops volumes off from here on, not only the densest: here nobody waits until there are some. */
const L1_ABOVE = 0.11;
const COMPACTIONS: readonly CompactRequest[] = [
  { strategies: ['l3'] },
  { strategies: ['l1'], boundaries: { l3UpTo: 0.1, l2UpTo: L1_ABOVE, l1UpTo: 1 }, threshold: COMPACT_FROM },
  { untilStable: true, finish: true, threshold: COMPACT_FROM },
];

const percent = (part: number): string => `${Math.round(part * 100)} %`;

/** In what its compaction is not as shipped, for whoever watches. */
export const COMPACTION_CHANGES =
  `one strategy after the other, L1 from fills of ${percent(L1_ABOVE)} (as shipped: ${percent(PLAN_SETTINGS.l2UpTo)}), ` +
  `volumes from ${percent(COMPACT_FROM)} dead (as shipped: ${percent(THRESHOLD_START)} and tuned)`;

/** How far a step is, for a progress bar. */
export type Tick = (done: { readonly items?: number; readonly bytes?: number }) => void;

/** A file that did not come back as it was: the demonstration has failed. */
export class DemoMismatch extends PocketfulError {
  constructor(name: string, why: string, cause?: unknown) {
    super('corrupt', 'DEMO_MISMATCH', `${name}: ${why}`, cause);
  }
}

/**
 * A record put together from its local set alone; `alone`: the one drive that was away, if it took a look of its own.
 */
export interface LocalRepair {
  readonly volume: VolumeId;
  readonly column: number;
  readonly columnsRead: readonly number[];
  readonly otherColumns: number;
  readonly alone?: number;
}

/** The first half of its bytes, then pieces of at most so many bytes, or of one file. */
function putsOf({ files, bytes }: DemoTree, smallBytes: number): readonly (readonly DemoFile[])[] {
  const puts: DemoFile[][] = [[]];
  let taken = 0;
  let inLast = 0;
  for (const file of files) {
    const isFull = puts.length === 1 ? taken >= bytes / 2 : inLast + file.bytes > smallBytes;
    if (isFull) {
      puts.push([]);
      inLast = 0;
    }
    puts.at(-1)?.push(file);
    taken += file.bytes;
    inLast += file.bytes;
  }
  return puts;
}

export class Demo {
  readonly store: EmbeddedStore;
  readonly tree: DemoTree;
  readonly #random: SeededRandomness;
  readonly #away = new Set<number>();
  #left: readonly DemoFile[];

  constructor(store: EmbeddedStore, tree: DemoTree, seed: number) {
    this.store = store;
    this.tree = tree;
    this.#random = new SeededRandomness(seed);
    this.#left = tree.files;
  }

  get left(): readonly DemoFile[] {
    return this.#left;
  }

  /** Half of the tree at once, which goes past the hot tier; the rest in puts that are too small for that. */
  async put(tick: Tick): Promise<{ readonly atOnceBytes: number; readonly smallPuts: number }> {
    let items = 0;
    let bytes = 0;
    const [atOnce = [], ...small] = putsOf(this.tree, bulkFromBytes(this.store.components.settings) / 2);
    for (const files of [atOnce, ...small]) {
      const requests = files.map(({ name, path, found }) =>
        itemIn(DEFAULT_NAMESPACE, fileToPut(name, path, found.stats)),
      );
      for await (const outcome of this.store.frontend.putAll(requests)) {
        if (!outcome.ok) throw outcome.error;
        items += 1;
        bytes += outcome.sizeBytes;
        tick({ items, bytes });
      }
    }
    return { atOnceBytes: atOnce.reduce((sum, file) => sum + file.bytes, 0), smallPuts: small.length };
  }

  /** Seals what is open and encodes all of it; the last, small group too. */
  async encode(tick: Tick) {
    const sealed = await this.store.volumes.open.sealAll('hot');
    const before = await this.status();
    const report = await encodeStore(this.store, {
      force: true,
      onProgress: ({ encodedBytes }) => tick({ bytes: encodedBytes }),
    });
    if (report.stalled !== undefined) throw new PocketfulError('retry', 'DEMO_STALLED', reasonLine(report.stalled));
    const freed = await freeTrash(this.store.volumes);
    return { ...report, sealed, hotBefore: before.overhead.hot.volumes, freedZones: freed.freedZones };
  }

  /**
   * Reads every file that is left and compares its SHA-256. With `mayWait`, files that only wait for drives are listed
   * instead.
   */
  async readAll(
    tick: Tick,
    mayWait = false,
  ): Promise<readonly { readonly name: string; readonly drives: readonly string[] }[]> {
    let items = 0;
    let bytes = 0;
    const waiting: { name: string; drives: readonly string[] }[] = [];
    await mapLimit(this.#left, DEMO_READS_AT_ONCE, async (file) => {
      try {
        const { body } = await this.store.frontend.get(DEFAULT_NAMESPACE, file.name);
        if ((await sha256Of(body)) !== file.sha256)
          throw new DemoMismatch(file.name, 'its SHA-256 differs from the source');
      } catch (error) {
        if (!mayWait || !(error instanceof RecordLost)) {
          if (isPocketfulError(error) && !(error instanceof DemoMismatch))
            throw new DemoMismatch(file.name, error.message, error);
          throw error;
        }
        waiting.push({ name: file.name, drives: error.drives.map((drive) => relative(this.store.path, drive)) });
      }
      items += 1;
      bytes += file.bytes;
      tick({ items, bytes });
    });
    return waiting.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** The drives to take away, drawn from the seed: three, and a fourth. */
  drawDrives(): readonly number[] {
    const ids = this.store.components.drives.map((_, id) => id);
    return shuffled(ids, this.#random).slice(0, DRIVES_AWAY + 1);
  }

  /** A drive goes by its directory getting another name, as a disk does that is unplugged. */
  async takeAway(drive: number): Promise<void> {
    const { label } = this.store.components.drives[drive] as { label: string };
    await rename(label, `${label}.away`);
    this.#away.add(drive);
  }

  /** All that were taken away. */
  async bringBack(): Promise<void> {
    for (const drive of this.#away) {
      const { label } = this.store.components.drives[drive] as { label: string };
      await rename(`${label}.away`, label);
      this.store.volumes.health.worked(drive);
      this.#away.delete(drive);
    }
  }

  /** Reads every file while these drives are away. The drives are away afterwards. */
  async readWithout(drives: readonly number[], tick: Tick) {
    const { records } = this.store.volumes;
    const before = records.stats.degradedReads;
    let repair: LocalRepair | undefined;
    records.onRepair = ({ volume, column, columnsRead }) => {
      if (columnsRead.length !== LOCAL_READS) return;
      repair ??= { volume: volume.id, column, columnsRead, otherColumns: volume.extents.length - 1 };
    };
    try {
      for (const drive of drives) await this.takeAway(drive);
      await this.readAll(tick);
    } finally {
      records.onRepair = undefined;
    }
    return { rebuilt: records.stats.degradedReads - before, repair };
  }

  /**
   * A local repair, found with one drive away at a time, the given ones first: so few volumes as a small tree has may
   * each have lost more of a local set than one column, or nothing with a record in it. Undefined if nothing was coded.
   */
  async localRepair(first: readonly number[], tick: Tick): Promise<LocalRepair | undefined> {
    const others = this.store.components.drives.map((_, id) => id).filter((id) => !first.includes(id));
    await this.bringBack();
    for (const alone of [...first, ...others]) {
      const { repair } = await this.readWithout([alone], tick);
      await this.bringBack();
      if (repair !== undefined) return { ...repair, alone };
    }
    return undefined;
  }

  /** Deletes a share of the files drawn from the seed, and shreds their blocks. */
  async delete(tick: Tick) {
    const doomed: DemoFile[] = [];
    const kept: DemoFile[] = [];
    for (const file of this.tree.files) (this.#random.below(100) < DELETED_PERCENT ? doomed : kept).push(file);
    let items = 0;
    const names = doomed.map(({ name }) => ({ namespace: DEFAULT_NAMESPACE, key: name }));
    for await (const outcome of this.store.frontend.deleteAll(names)) {
      if (!outcome.ok) throw outcome.error;
      items += 1;
      tick({ items });
    }
    this.#left = kept;
    const garbage = await shredStore(this.store);
    return { deleted: doomed, garbage };
  }

  /**
   * L3 first, as it is the cheapest; then L1, for once on all the rest, so that there is something to see: on its own
   * range it has little to do in so small a store; then everything until nothing is gained.
   */
  async compact(tick: Tick): Promise<readonly RunReport[]> {
    let bytes = 0;
    const onMoved = ({ recordBytes }: { readonly recordBytes: number }): void => {
      bytes += recordBytes;
      tick({ bytes });
    };
    const runs: RunReport[] = [];
    for (const request of COMPACTIONS) runs.push(...(await compactStore(this.store, { ...request, onMoved })).runs);
    const stalled = runs.find((run) => run.stalled !== undefined)?.stalled;
    if (stalled !== undefined) throw new PocketfulError('retry', 'DEMO_STALLED', reasonLine(stalled));
    return runs;
  }

  async expectGone(deleted: readonly DemoFile[]): Promise<void> {
    await mapLimit(deleted, DEMO_READS_AT_ONCE, async ({ name }) => {
      try {
        await this.store.frontend.head(DEFAULT_NAMESPACE, name);
      } catch (error) {
        if (isKind(error, 'missing')) return;
        throw error;
      }
      throw new DemoMismatch(name, 'it was deleted and is still there');
    });
  }

  status(): Promise<Status> {
    return collectStatus(this.store.components);
  }
}
