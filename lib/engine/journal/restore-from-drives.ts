// RESTORE --FROM-DRIVES: the metadata of a store out of the journal on its drives, with nothing but keys.json.
// docs/decisions/0025 has the steps and what a crash after each leaves.
import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { DirectoryDrive } from '../../drive/directory-drive.ts';
import { markerOf } from '../../drive/directory-marker.ts';
import { DirectoryShelf } from '../../drive/directory-shelf.ts';
import type { Drive } from '../../drive/drive.ts';
import type { Shelf } from '../../drive/shelf.ts';
import { type Clock, systemClock } from '../../foundation/clock.ts';
import { corrupt, isPocketfulError, type PocketfulError } from '../../foundation/errors.ts';
import { driveId } from '../../foundation/ids.ts';
import { type Randomness, systemRandomness } from '../../foundation/randomness.ts';
import { Shelves } from '../../journal/shelves.ts';
import { openKeyFile } from '../../keys/file-kek-store.ts';
import type { KekStore } from '../../keys/keys.ts';
import { EPOCH_LEAP } from '../../limits/journal.ts';
import type { JournalSource } from '../../panda/journal-source.ts';
import type { Panda, Row } from '../../panda/panda.ts';
import { type StoreRow, setDrives, storeFromRow, storeKey } from '../../panda/rows/store-row.ts';
import { SqliteJournal } from '../../panda/sqlite/sqlite-journal.ts';
import { SqlitePanda } from '../../panda/sqlite/sqlite-panda.ts';
import { raiseAboveDrives } from '../../volume/behind/raise-above-drives.ts';
import type { Components } from '../../volume/rows/components.ts';
import { isGone, readDriveRows } from '../../volume/rows/drive-states.ts';
import { checkPlaces, type PlacesReport } from '../backup/check-places.ts';
import { giveName, refuseExisting } from '../backup/give-name.ts';
import { putRows } from '../backup/put-rows.ts';
import type { BackupSource } from '../rebuild/backup-source.ts';
import type { LostObject } from '../rebuild/keep-names.ts';
import { Rebuild, type RebuildReport } from '../rebuild/rebuild.ts';
import { Sorter } from '../rebuild/sorter.ts';
import { mayBeElsewhere } from '../ship/epoch-seen.ts';
import { journalCopies, StoreJournal } from '../ship/store-journal.ts';
import { removeScratch, scratchPath, sweepLeftovers } from '../wire/leftovers.ts';
import { isOwnerGone, newOwner } from '../wire/process-owner.ts';
import { driveAt, keysPath, pandaPath } from '../wire/store-layout.ts';
import { type DrivePlace, type FoundDrives, findDrives, withDrivesAt } from './found-drives.ts';
import { type Gathered, gatherRows } from './gather-rows.ts';

export interface FromDrivesOptions {
  /** The store as of then: the last point that is not younger. */
  readonly atMs?: number | undefined;
  readonly drives?: readonly DrivePlace[] | undefined;
  /** Where everything is, is found on the drives in any case: the rows are not of one moment. */
  readonly isScanned?: boolean;
  readonly onProgress?: ((rows: number) => void) | undefined;
  readonly onLost?: ((object: LostObject) => void) | undefined;
  readonly clock?: Clock;
  readonly randomness?: Randomness;
  /** What its calls go through, for tests that end it at one of them. */
  readonly through?: RestorePorts;
}

export interface RestorePorts {
  panda(inner: Panda): Panda;
  drive(inner: Drive): Drive;
  shelf(inner: Shelf): Shelf;
  source(inner: JournalSource): JournalSource;
}

const STRAIGHT: RestorePorts = {
  panda: (inner) => inner,
  drive: (inner) => inner,
  shelf: (inner) => inner,
  source: (inner) => inner,
};

export interface FromDrivesReport extends PlacesReport {
  readonly storeId: string;
  readonly rows: number;
  /** Of the point that was restored. */
  readonly epoch: number;
  readonly sequence: number;
  readonly atMs: number;
  readonly segments: number;
  readonly bytes: number;
  /** Segments that no drive had sound. */
  readonly damagedSegments: number;
  readonly drivesFound: number;
  /** But those that were given up. */
  readonly drivesMissing: readonly string[];
  /** What was named as a drive, and is none. */
  readonly notDrives: readonly string[];
  /** More drives are missing than certainly leave the newest of the journal: what they hold may be newer. */
  readonly mayBeOlder: boolean;
  /** What was found on the drives, if they had to be scanned: something was moved after that point. */
  readonly rebuild: RebuildReport | undefined;
  /** Why the restored store's first snapshot is not on the drives yet. */
  readonly unshipped: PocketfulError | undefined;
}

/** Throws `conflict` STORE_EXISTS, `missing` DRIVES_NONE_FOUND or JOURNAL_MISSING, `denied` of keys. */
export async function restoreFromDrives(dir: string, options: FromDrivesOptions = {}): Promise<FromDrivesReport> {
  const path = resolve(dir);
  const target = pandaPath(path);
  refuseExisting(dir, target);
  const ports = { clock: options.clock ?? systemClock, randomness: options.randomness ?? systemRandomness };
  const found = await findDrives(path, options.drives ?? []);
  const keks = await openKeyFile(keysPath(path), found.storeId, ports);
  await mkdir(path, { recursive: true, mode: 0o700 });
  await sweepLeftovers(path, ports.clock);
  const restore = new FromDrives(path, options, ports, keks, found);
  try {
    const report = await restore.run();
    await giveName(restore.file, target);
    return report;
  } finally {
    await restore.end();
  }
}

interface GatheredStore extends Gathered {
  readonly store: StoreRow;
  readonly drivesMissing: readonly string[];
  readonly drivesFound: number;
}

const mayBeOlder = ({ store, drivesMissing }: GatheredStore): boolean =>
  mayBeElsewhere(drivesMissing.length, journalCopies(store.settings));

/** One restore under way. `file` is what becomes the metadata. */
class FromDrives {
  readonly #path: string;
  readonly #options: FromDrivesOptions;
  readonly #ports: { readonly clock: Clock; readonly randomness: Randomness };
  readonly #keks: KekStore;
  readonly #found: FoundDrives;
  readonly #through: RestorePorts;
  readonly #files: string[] = [];

  constructor(
    path: string,
    options: FromDrivesOptions,
    ports: { readonly clock: Clock; readonly randomness: Randomness },
    keks: KekStore,
    found: FoundDrives,
  ) {
    this.#path = path;
    this.#options = options;
    this.#ports = ports;
    this.#keks = keks;
    this.#found = found;
    this.#through = options.through ?? STRAIGHT;
  }

  get file(): string {
    return this.#files.at(-1) as string;
  }

  async run(): Promise<FromDrivesReport> {
    const gathered = await this.#gather();
    const places = await this.#held(gathered.store);
    const mustScan = this.#options.isScanned || places.unreadableBuckets > 0;
    const rebuild = mustScan ? await this.#rebuild(gathered.store) : undefined;
    const unshipped = await this.#begin(gathered);
    const { reached, store, rows, damaged, drivesFound, drivesMissing } = gathered;
    const { epoch, point, atMs, way } = reached;
    return {
      ...{ storeId: store.storeId, rows, epoch, sequence: point.sequence, atMs },
      ...{ segments: way.length, bytes: way.reduce((sum, { bytes }) => sum + bytes, 0), damagedSegments: damaged },
      ...{ drivesFound, drivesMissing, notDrives: this.#found.strangers, mayBeOlder: mayBeOlder(gathered) },
      ...{ ...places, rebuild, unshipped },
    };
  }

  async end(): Promise<void> {
    for (const file of this.#files) await removeScratch(file);
  }

  /** An empty file beside the store's. */
  async #fresh<T>(use: (panda: Panda) => Promise<T>): Promise<T> {
    this.#files.push(scratchPath(this.#path, 'restoring', this.#ports.randomness));
    return this.#within(use);
  }

  async #within<T>(use: (panda: Panda) => Promise<T>, isJournalled = false): Promise<T> {
    const panda = await SqlitePanda.open(this.file, { clock: this.#ports.clock, isJournalled });
    try {
      return await use(this.#through.panda(panda));
    } finally {
      await panda.close();
    }
  }

  /** Once more where the store's row names drives that nobody gave: they may know more. */
  async #gather(): Promise<GatheredStore> {
    let paths: ReadonlyMap<number, string> = this.#found.paths;
    for (;;) {
      const gathered = await this.#gatherFrom(paths);
      const more = await this.#answering(gathered.store, paths);
      if (more.size === paths.size) return gathered;
      paths = more;
    }
  }

  async #gatherFrom(paths: ReadonlyMap<number, string>): Promise<GatheredStore> {
    const { storeId } = this.#found;
    const places = [...paths].map(([drive, path]) => ({
      ...{ drive, domain: `${drive}`, isActive: false },
      shelf: this.#through.shelf(new DirectoryShelf(path, { storeId, driveId: driveId(drive) })),
    }));
    const ports = { ...this.#ports, storeId, kekOf: (version: number) => this.#keks.kek(version) };
    const { atMs, onProgress } = this.#options;
    const fill = (rows: AsyncIterable<Row>): Promise<number> =>
      this.#fresh((panda) => putRows(panda, rows, onProgress));
    const gathered = await gatherRows(ports, new Shelves(places, 1), { atMs, fill });
    return this.#within(async (panda) => {
      const row = await panda.get(storeKey);
      if (row === undefined) throw corrupt('SEGMENT_CORRUPT', 'the journal has no settings of a store');
      const store = withDrivesAt(this.#path, storeFromRow(row), { paths }, this.#options.drives ?? []);
      await panda.transact([{ kind: 'update', ...storeKey, ...setDrives(store.drives) }]);
      const states = await readDriveRows({ panda });
      const drivesMissing = store.drives.filter((_, drive) => !paths.has(drive) && !isGone(states, drive));
      return { ...gathered, store, drivesMissing, drivesFound: paths.size };
    });
  }

  /** The drives known, and those of the store's row that are there as well. */
  async #answering(store: StoreRow, paths: ReadonlyMap<number, string>): Promise<ReadonlyMap<number, string>> {
    const all = new Map(paths);
    for (const [drive, place] of store.drives.entries()) {
      const at = driveAt(this.#path, place);
      const marker = all.has(drive) ? undefined : await markerOf(at).catch(() => undefined);
      if (marker?.store === store.storeId && marker.drive === drive) all.set(drive, at);
    }
    return all;
  }

  #drives(store: StoreRow): Drive[] {
    return store.drives.map((place, id) => {
      const identity = { storeId: store.storeId, driveId: driveId(id) };
      return this.#through.drive(new DirectoryDrive(driveAt(this.#path, place), identity));
    });
  }

  #held(store: StoreRow): Promise<PlacesReport> {
    return this.#within((panda) => checkPlaces({ panda, ...store, ...this.#ports, drives: this.#drives(store) }));
  }

  /** Something was moved after that point: where everything is, is found on the drives. */
  async #rebuild(store: StoreRow): Promise<RebuildReport> {
    const before = await SqlitePanda.open(this.file, { isJournalled: false });
    const sorter = Sorter.open(scratchPath(this.#path, 'sorting', this.#ports.randomness));
    try {
      const rebuild = new Rebuild(sorter, {
        ...{ settings: store.settings, storeId: store.storeId, drives: this.#drives(store) },
        onLost: this.#options.onLost,
        backup: backupIn(this.#through.panda(before)),
        nowMs: Math.max(0, this.#ports.clock.nowMs()),
      });
      await this.#fresh((panda) => putRows(panda, rebuild.rows(), this.#options.onProgress));
      return rebuild.report();
    } finally {
      await sorter.close();
      await before.close();
    }
  }

  /** Above whatever the drives hold, and shipped: before anybody can write. Why it was not shipped, if so. */
  #begin(gathered: GatheredStore): Promise<PocketfulError | undefined> {
    const { store, epochSeen } = gathered;
    const above = mayBeOlder(gathered) ? epochSeen + EPOCH_LEAP : epochSeen;
    return this.#within(async (panda) => {
      const components: Components = {
        ...{ ...store, ...this.#ports, panda, keks: this.#keks, isOwnerGone },
        drives: this.#drives(store),
        owner: newOwner(this.#ports.randomness),
      };
      await raiseAboveDrives(components, above);
      const journal = new StoreJournal(
        (place, identity) => this.#through.shelf(new DirectoryShelf(driveAt(this.#path, place), identity)),
        components,
        this.#through.source(new SqliteJournal(this.file)),
      );
      try {
        await journal.shipNow();
        return undefined;
      } catch (error) {
        if (!isPocketfulError(error)) throw error;
        return error;
      } finally {
        await journal.close();
      }
    }, true);
  }
}

const backupIn = (panda: Panda): BackupSource => ({
  async *rows(tables) {
    for await (const page of panda.scan())
      for (const row of page) if (tables.some((table) => row.partition.startsWith(table))) yield row;
  },
});
