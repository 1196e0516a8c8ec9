// RESTORE --REBUILD: location from the drives, names, references and wrapped keys from a backup, less what the shred
// log names. The rows of a fresh Panda come out one by one, sorted on disk (sorter.ts), so that memory does not grow
// with the number of objects.
import type { Drive } from '../../drive/drive.ts';
import type { StoreId } from '../../foundation/ids.ts';
import type { Row } from '../../panda/panda.ts';
import { type BlockRow, blockAttributes, blockFromRow, blockKey } from '../../panda/rows/block-row.ts';
import { brakeKey } from '../../panda/rows/drives/brake-row.ts';
import { raised } from '../../panda/rows/store-row.ts';
import { trashAttributes, trashKey } from '../../panda/rows/trash-row.ts';
import type { Settings } from '../../settings/settings.ts';
import type { BackupSource } from './backup-source.ts';
import { bucketRows } from './bucket-rows.ts';
import { chooseGenerations } from './choose-generations.ts';
import { placeRecords } from './choose-homes.ts';
import { driveRows, knownDrives, retiredIn } from './drive-rows.ts';
import { type Places, zoneRows } from './extents.ts';
import { indexBackup } from './index-backup.ts';
import { type KeptNames, keepNames, type LostObject } from './keep-names.ts';
import { keepRemoved } from './keep-removed.ts';
import { type AwayDrive, type ScanReport, scanDrives } from './scan-drives.ts';
import type { Sorter } from './sorter.ts';
import { volumeRows } from './volume-rows.ts';

export interface RebuildReport {
  readonly objects: number;
  readonly blocks: number;
  readonly volumes: number;
  readonly buckets: number;
  /** Objects of the backup that cannot be restored, and why: the first ten thousand of them. */
  readonly lost: readonly LostObject[];
  readonly lostObjects: number;
  /** Records on the drives that no block of the backup names: younger than it, or dead. */
  readonly unnamedRecords: number;
  readonly drivesAway: readonly AwayDrive[];
  readonly damagedChunks: readonly string[];
}

export interface RebuildInput {
  readonly settings: Settings;
  readonly storeId: StoreId;
  readonly drives: readonly Drive[];
  readonly backup: BackupSource;
  /** A later backup, whose shred log counts: what it names stays shredded. */
  readonly shredLog?: BackupSource | undefined;
  readonly nowMs: number;
  /** Of the markers that were found, by number of drive. */
  readonly incarnations?: ReadonlyMap<number, string> | undefined;
  /** Throws `retry` DRIVES_MISSING if a drive is away. */
  readonly allDrives?: boolean | undefined;
  readonly onLost?: ((object: LostObject) => void) | undefined;
}

/** Tables whose rows hold no location and no reference. */
const KEPT_TABLES = ['store', 'shred/', 'kek', 'removed-segment/', brakeKey.partition];

export class Rebuild {
  readonly #sorter: Sorter;
  readonly #input: RebuildInput;
  readonly #names: KeptNames = { objects: 0, lostObjects: 0, lost: [] };
  #scan: ScanReport = { away: [], damaged: [] };

  constructor(sorter: Sorter, input: RebuildInput) {
    this.#sorter = sorter;
    this.#input = input;
  }

  /** To be read to the end, once. */
  async *rows(): AsyncGenerator<Row> {
    const { settings, drives, backup, nowMs } = this.#input;
    const { incarnations = new Map(), allDrives, storeId } = this.#input;
    const known = await knownDrives(backup, incarnations, nowMs);
    this.#scan = await scanDrives(this.#sorter, drives, storeId, { allDrives, leaveOut: retiredIn(known) });
    await indexBackup(this.#sorter, backup, this.#input.shredLog);
    chooseGenerations(this.#sorter);
    placeRecords(this.#sorter);
    yield* keepNames(this.#sorter, backup, this.#names, this.#input.onLost);
    yield* keepRemoved(this.#sorter, backup);
    // Block rows are written in this release's format.
    for await (const row of backup.rows(KEPT_TABLES)) yield raised(row);
    yield* driveRows(known);
    yield* this.#blockRows();
    const { cell } = settings;
    yield* bucketRows(this.#sorter, { storeId, cell, nowMs });
    const away = new Set(this.#scan.away.map(({ drive }) => drive));
    const places: Places = { drives: drives.length, away, unknown: new Map() };
    yield* volumeRows(this.#sorter, { storeId, settings, drives, nowMs }, places);
    yield* zoneRows(this.#sorter, places, settings.zonesPerDrive, backup);
  }

  /** Complete once all rows were read. */
  report(): RebuildReport {
    return {
      objects: this.#names.objects,
      blocks: this.#sorter.count('SELECT count(*) AS n FROM placed'),
      volumes: this.#sorter.count('SELECT count(DISTINCT volume) AS n FROM used'),
      buckets: this.#sorter.count('SELECT count(*) AS n FROM used'),
      lost: this.#names.lost,
      lostObjects: this.#names.lostObjects,
      unnamedRecords: this.#sorter.count('SELECT count(*) AS n FROM unnamed'),
      drivesAway: this.#scan.away,
      damagedChunks: this.#scan.damaged,
    };
  }

  /** The blocks that were placed, with their wrapped keys; those that nobody refers to are in trash. */
  async *#blockRows(): AsyncGenerator<Row> {
    const { settings, backup, nowMs } = this.#input;
    for await (const row of backup.rows(['block/'])) {
      const block = this.#placed(blockFromRow(row));
      if (block === undefined) continue;
      yield { ...blockKey(block.id), attributes: blockAttributes(block) };
      if (block.refs > 0) continue;
      const since = this.#sorter.get<{ sinceMs: number }>('SELECT sinceMs FROM trash WHERE block = ?', block.id);
      const { id: blockId, recordId, recordBytes } = block;
      const trash = { blockId, recordId, recordBytes, sinceMs: since?.sinceMs ?? nowMs };
      yield { ...trashKey(settings.cell, block.bucket, block.slot), attributes: trashAttributes(trash) };
    }
  }

  #placed(block: BlockRow): BlockRow | undefined {
    const place = this.#sorter.get<Placed>('SELECT * FROM placed WHERE block = ?', block.id);
    if (place === undefined) return undefined;
    const { bucket, slot, length, refs, volume, generation, sequence: seq, token, column, offset } = place;
    const hint = { volume, generation, seq, token, column, offset };
    const { named: _, ...rest } = block;
    return { ...rest, bucket, slot, recordBytes: length, hint, refs, state: refs === 0 ? 'trash' : 'live' };
  }
}

type Placed = {
  bucket: BlockRow['bucket'];
  slot: number;
  length: number;
  refs: number;
  volume: BlockRow['hint']['volume'];
  generation: number;
  sequence: number;
  token: number;
  column: number;
  offset: number;
};
