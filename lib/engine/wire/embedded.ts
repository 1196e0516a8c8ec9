// The embedded engine: directories as drives, SQLite as Panda, a key file. Makes a store, opens it, and wires the
// system of lib/volume and lib/frontend to these bodies. Several processes may have one store open.
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { DirectoryShelf } from '../../drive/directory-shelf.ts';
import type { Drive } from '../../drive/drive.ts';
import { type Clock, systemClock } from '../../foundation/clock.ts';
import { mapLimit } from '../../foundation/concurrency.ts';
import { conflict, invalid, isPocketfulError, missing, type PocketfulError } from '../../foundation/errors.ts';
import { driveId, newStoreId } from '../../foundation/ids.ts';
import { type Randomness, systemRandomness } from '../../foundation/randomness.ts';
import { Frontend } from '../../frontend/frontend.ts';
import { createKeyFile, FileKekStore, openKeyFile } from '../../keys/file-kek-store.ts';
import type { KekStore } from '../../keys/keys.ts';
import { SystemSealer } from '../../keys/system-sealer.ts';
import { OPENED_DRIVES_AT_ONCE, SEALERS_MAX } from '../../limits/engine.ts';
import { type BulkCoder, bulkWriterOf } from '../../live-coder/bulk-coder.ts';
import type { Panda } from '../../panda/panda.ts';
import type { BadRow } from '../../panda/rows/row-reader.ts';
import { type StoreRow, storeFromRow, storeKey } from '../../panda/rows/store-row.ts';
import { checkSqliteFile } from '../../panda/sqlite/sqlite-damage.ts';
import { pandaCorrupt } from '../../panda/sqlite/sqlite-errors.ts';
import { SqliteJournal } from '../../panda/sqlite/sqlite-journal.ts';
import { SqlitePanda } from '../../panda/sqlite/sqlite-panda.ts';
import { drivesMin, parseSettings, type Settings } from '../../settings/settings.ts';
import { SqliteStream } from '../../stream/sqlite-stream.ts';
import type { Stream } from '../../stream/stream.ts';
import { type RaiseReport, raiseAboveDrives } from '../../volume/behind/raise-above-drives.ts';
import type { Components } from '../../volume/rows/components.ts';
import { VolumeStore } from '../../volume/volume-store.ts';
import { epochSeenOn } from '../ship/epoch-seen.ts';
import { StoreJournal, type Unshipped } from '../ship/store-journal.ts';
import { BadRows } from './bad-rows.ts';
import { beginCreation, endCreation, writeNewDrives } from './creation.ts';
import { MadeDrives, makeDriveAt } from './drives/made-drives.ts';
import { sweepLeftovers } from './leftovers.ts';
import { pandaLost, tracesOf } from './lost-panda.ts';
import { beginAttempt, checkBegun, checkNewPlace } from './new-place.ts';
import { isOwnerGone, newOwner, ownerEnded } from './process-owner.ts';
import { StoreDisk } from './store-disk.ts';
import { DRIVES_DEFAULT, driveAt, drivePaths, keysPath, pandaPath, queuePath } from './store-layout.ts';
import { revectorizeIfAsked, startKernel } from './system-kernel.ts';
import { WriterTurn } from './writer-turn.ts';

export interface EngineOptions {
  readonly clock?: Clock;
  readonly randomness?: Randomness;
  /** Open although the key file is missing or wrong: for looking at the store only. */
  readonly withoutKeys?: boolean;
}

export interface CreateOptions extends EngineOptions {
  readonly settings: Settings;
  /** How many below the store's directory, or where each is. Default 20. */
  readonly drives?: number | readonly string[];
  /** By drive: what fails together with it. */
  readonly domains?: readonly string[] | undefined;
}

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

/**
 * Makes a store and opens it. What a call that was cut off left is finished; one that is refused leaves nothing. Throws
 * `conflict` STORE_EXISTS, `corrupt` PANDA_LOST.
 */
export async function createEmbedded(dir: string, options: CreateOptions): Promise<EmbeddedStore> {
  const path = resolve(dir);
  const wanted = options.drives ?? DRIVES_DEFAULT;
  const drives = drivePaths(path, wanted);
  const settings = parseSettings(options.settings);
  const needed = drivesMin(settings);
  if (drives.length < needed)
    throw invalid('DRIVES_TOO_FEW', `these settings need at least ${needed} drives, not ${drives.length}`);
  const isBegun = existsSync(pandaPath(path));
  if (!isBegun) await checkNewPlace(dir, path, drives);
  const attempt = await beginAttempt(path, drives);
  const ports = portsOf(options);
  await sweepLeftovers(path, ports.clock);
  const disk = new StoreDisk(path);
  const panda = await SqlitePanda.open(pandaPath(path), { makeRoom: disk.makeRoom, clock: ports.clock });
  try {
    if ((await panda.get(storeKey)) !== undefined) throw conflict('STORE_EXISTS', `there is a store in ${dir} already`);
    if (isBegun) await checkBegun(dir, path, panda);
    const row = await beginCreation(panda, ports, {
      storeId: newStoreId(ports.randomness),
      settings,
      drives,
      createdAtMs: Math.max(0, ports.clock.nowMs()),
    });
    const made = await mapLimit(row.drives, OPENED_DRIVES_AT_ONCE, (place, i) =>
      makeDriveAt(driveAt(path, place), { storeId: row.storeId, driveId: driveId(i) }, ports.randomness),
    );
    await writeNewDrives(panda, ports, made, options.domains);
    await createKeyFile(keysPath(path), row.storeId, ports);
    await endCreation(panda, ports, row);
    const store = await wire({ path, row, panda, ports, disk });
    disk.reserveRoom();
    return store;
  } catch (error) {
    if (!isBegun && isPocketfulError(error)) await attempt.undo(panda);
    await panda.close();
    await attempt.removeIfUndone();
    throw error;
  }
}

/**
 * Throws `missing` STORE_MISSING or STORE_INCOMPLETE, `corrupt` PANDA_LOST, `invalid` STORE_VERSION; a drive that
 * cannot be reached only fails its own calls.
 */
export async function openEmbedded(dir: string, options: EngineOptions = {}): Promise<EmbeddedStore> {
  const path = resolve(dir);
  const make = `make one with: pocketful init --store file:${dir}`;
  const ports = portsOf(options);
  await sweepLeftovers(path, ports.clock);
  if (!existsSync(pandaPath(path))) {
    const traces = await tracesOf(path);
    if (traces !== undefined) throw pandaLost(dir, traces);
    throw missing('STORE_MISSING', `there is no store in ${dir}; ${make}`);
  }
  const disk = new StoreDisk(path);
  const panda = await SqlitePanda.open(pandaPath(path), { create: false, makeRoom: disk.makeRoom, clock: ports.clock });
  try {
    const row = await panda.get(storeKey);
    if (row === undefined) {
      await checkBegun(dir, path, panda);
      // A damaged file may have lost that row, too.
      if (row === undefined && checkSqliteFile(pandaPath(path)).length > 0) throw pandaCorrupt(pandaPath(path));
      if (row === undefined)
        throw missing(
          'STORE_INCOMPLETE',
          `making the store in ${dir} was interrupted; run it again to finish it: pocketful init --store file:${dir}`,
        );
    }
    return await wire({ path, row: storeFromRow(row), panda, ports, disk }, options.withoutKeys);
  } catch (error) {
    await panda.close();
    throw error;
  }
}

interface Ports {
  readonly clock: Clock;
  readonly randomness: Randomness;
}

const portsOf = ({ clock = systemClock, randomness = systemRandomness }: EngineOptions): Ports => ({
  clock,
  randomness,
});

interface Parts {
  readonly path: string;
  readonly row: StoreRow;
  readonly panda: Panda;
  readonly ports: Ports;
  readonly disk: StoreDisk;
}

/** Loaded for the first put: with the operator's settings and their schemas it would delay every command. */
function laterLanes(parts: Pick<Components, 'panda' | 'clock'>): NonNullable<Components['laneOf']> {
  let lanes: Promise<NonNullable<Components['laneOf']>> | undefined;
  return async (namespace) => {
    lanes ??= import('../../compaction/run/known-lanes.ts').then(({ knownLanes }) => knownLanes(parts));
    return (await lanes)(namespace);
  };
}

async function wire({ path, row, panda, ports, disk }: Parts, withoutKeys = false): Promise<EmbeddedStore> {
  const badRows = new BadRows();
  const made = new MadeDrives(path, row.storeId, panda, ports.clock, badRows.tell);
  const drives: Drive[] = await made.from(0, row.drives);
  const keks: KekStore = withoutKeys
    ? new FileKekStore(keysPath(path), row.storeId, ports)
    : await openKeyFile(keysPath(path), row.storeId, ports);
  disk.describe(
    row.settings,
    drives.map(({ label }) => label),
  );
  const components: Components = {
    settings: row.settings,
    storeId: row.storeId,
    ...ports,
    drives,
    panda,
    keks,
    owner: newOwner(ports.randomness),
    isOwnerGone,
    laneOf: laterLanes({ panda, clock: ports.clock }),
    badRow: badRows.tell,
  };
  const sealer = new SystemSealer(Math.min(SEALERS_MAX, Math.max(1, availableParallelism() - 1)));
  const roots = row.drives.map((drive) => driveAt(path, drive));
  const turn = new WriterTurn(path, components, roots);
  const findDrives = async (): Promise<void> => {
    const now = await panda.get(storeKey);
    if (now === undefined) return;
    const known = drives.length;
    const places = storeFromRow(now).drives;
    // Another call may have been at it at the same time.
    if (places.length > known)
      for (const [i, drive] of (await made.from(known, places)).entries())
        if (known + i === drives.length) drives.push(drive);
  };
  let journal: StoreJournal | undefined;
  const all: Components = {
    ...components,
    sealer,
    findDrives,
    async mayWrite() {
      await turn.mayWrite();
      journal?.begin();
    },
    beforeErasing: async () => journal?.shipNow(),
  };
  if (!withoutKeys)
    journal = new StoreJournal(
      (place, identity) => new DirectoryShelf(driveAt(path, place), identity),
      all,
      new SqliteJournal(pandaPath(path)),
      { mayWait: () => disk.isSparing() },
    );
  disk.shipsBy(async () => journal?.shipNow());
  return new EmbeddedStore(path, row, all, {
    disk,
    turn,
    badRows,
    sealer,
    ...(journal === undefined ? {} : { journal }),
  });
}
