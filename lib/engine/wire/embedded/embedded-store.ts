// An open store in a directory, as this process has it.
import type { PocketfulError } from '../../../foundation/errors.ts';
import { Frontend } from '../../../frontend/frontend.ts';
import type { SystemSealer } from '../../../keys/system-sealer.ts';
import { type BulkCoder, bulkWriterOf } from '../../../live-coder/bulk-coder.ts';
import type { BadRow } from '../../../panda/rows/row-reader.ts';
import type { StoreRow } from '../../../panda/rows/store-row.ts';
import { SqliteStream } from '../../../stream/sqlite-stream.ts';
import type { Stream } from '../../../stream/stream.ts';
import { type RaiseReport, raiseAboveDrives } from '../../../volume/behind/raise-above-drives.ts';
import type { Components } from '../../../volume/rows/components.ts';
import { VolumeStore } from '../../../volume/volume-store.ts';
import { epochSeenOn } from '../../ship/epoch-seen.ts';
import type { StoreJournal, Unshipped } from '../../ship/store-journal.ts';
import { BadRows } from '../bad-rows.ts';
import { ownerEnded } from '../process-owner.ts';
import { StoreDisk } from '../store-disk.ts';
import { queuePath } from '../store-layout.ts';
import { revectorizeIfAsked, startKernel } from '../system-kernel.ts';
import type { WriterTurn } from '../writer-turn.ts';

/** What is this process's own of a store. */
interface OwnParts {
  readonly disk?: StoreDisk;
  readonly turn?: WriterTurn;
  readonly badRows?: BadRows;
  readonly journal?: StoreJournal;
  readonly sealer?: SystemSealer;
}

/** An open store. Close it: then its leases end at once. */
export class EmbeddedStore {
  readonly path: string;
  readonly row: StoreRow;
  readonly components: Components;
  readonly volumes: VolumeStore;
  readonly frontend: Frontend;
  /** Writes large puts past the hot tier; undefined where there is none. */
  readonly bulk: BulkCoder | undefined;
  readonly disk: StoreDisk;
  /** Missing: opened without keys, so nothing is shipped. */
  readonly journal: StoreJournal | undefined;
  readonly #badRows: BadRows;
  #unshipped: Unshipped | undefined;
  #queue: Stream | undefined;
  readonly #turn: WriterTurn | undefined;
  #stopWarmUp: (() => void) | undefined;
  readonly #sealer: SystemSealer | undefined;

  constructor(path: string, row: StoreRow, components: Components, parts: OwnParts = {}) {
    const { disk, turn, badRows, journal, sealer } = parts;
    this.#sealer = sealer;
    this.journal = journal;
    this.disk = disk ?? new StoreDisk(path);
    this.#turn = turn;
    this.#badRows = badRows ?? new BadRows();
    this.path = path;
    this.row = row;
    this.components = components;
    this.volumes = new VolumeStore(components);
    this.bulk = bulkWriterOf(this.volumes);
    this.frontend = new Frontend(this.volumes, undefined, this.bulk);
    revectorizeIfAsked();
  }

  /** Rows that could not be read and were passed over since it was opened. */
  get badRows(): readonly BadRow[] {
    return this.#badRows.list;
  }

  /** What this process could not ship, once it is closed. */
  get unshipped(): Unshipped | undefined {
    return this.#unshipped;
  }

  /** Between the drainer and the workers of L3; its file is made on the first use. */
  get queue(): Stream {
    this.#queue ??= SqliteStream.open(queuePath(this.path), this.components.clock);
    return this.#queue;
  }

  /**
   * Before the first change of any kind. Throws `corrupt` PANDA_BEHIND, `denied` STORE_COPIED, `conflict`
   * STORE_REPLACED.
   */
  async beginWriting(): Promise<void> {
    this.#stopWarmUp ??= startKernel([this.components.settings.warmCodec]);
    await this.components.mayWrite?.();
  }

  /** Throws the same, and begins nothing. */
  async checkWriting(): Promise<void> {
    const refusal = await this.refusal();
    if (refusal !== undefined) throw refusal;
  }

  /** The same, answered instead of thrown. */
  async refusal(): Promise<PocketfulError | undefined> {
    return this.#turn?.refusal();
  }

  /** This copy has the drives from now on: what others wrote to them since is given up. */
  async adopt(): Promise<RaiseReport> {
    const shelves = await this.journal?.shelves();
    const report = await raiseAboveDrives(this.components, shelves && (await epochSeenOn(shelves)));
    this.#turn?.forget();
    await this.beginWriting();
    return report;
  }

  /** To be called when nothing runs on it any more. */
  async close(): Promise<void> {
    this.#stopWarmUp?.();
    await this.volumes.open.giveLeasesBack();
    await this.#sealer?.close();
    this.#unshipped = await this.journal?.close();
    await this.#queue?.close();
    await this.components.panda.close();
    ownerEnded(this.components.owner);
  }
}
