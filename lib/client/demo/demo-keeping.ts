// What keeps a store, on a real one: a drive that dies and is replaced, and a byte that rots unseen. Both are made
// whole again, and what was made again is held against what was there, byte for byte.
import { createHash } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Drive } from '../../drive/drive.ts';
import { replaceDrive } from '../../engine/drives/replace-drive.ts';
import { collectStatus } from '../../engine/status/collect-status.ts';
import { repairPass } from '../../engine/upkeep/repair.ts';
import { verifyStore } from '../../engine/upkeep/verify.ts';
import type { EmbeddedStore } from '../../engine/wire/embedded/embedded-store.ts';
import { drivesPath } from '../../engine/wire/store-layout.ts';
import { DIRECTORY_PACK_NAME } from '../../format/object-names.ts';
import { SeededRandomness } from '../../foundation/randomness.ts';
import type { VolumeRow } from '../../panda/rows/volume-row.ts';
import { holdsData } from '../../volume/check/look.ts';
import type { Redundancy } from '../../volume/check/redundancy.ts';
import { listVolumes } from '../../volume/rows/read-rows.ts';
import { DemoMismatch } from './demo.ts';

type Column = { readonly volume: VolumeRow; readonly column: number };

export interface DriveReplaced {
  readonly drive: number;
  readonly added: number;
  readonly columns: number;
  readonly writtenBytes: number;
  /** Chunks that are what they were. */
  readonly same: number;
  readonly redundancy: Redundancy;
}

export interface RotRepaired {
  readonly column: number;
  readonly volume: string;
  readonly readObjects: number;
  readonly readBytes: number;
  readonly redundancy: Redundancy;
}

export class DemoKeeping {
  readonly #store: EmbeddedStore;
  readonly #random: SeededRandomness;

  constructor(store: EmbeddedStore, seed: number) {
    this.#store = store;
    this.#random = new SeededRandomness(seed);
  }

  /** The drive with most on it goes for good; another takes its place, and what lay there is made again. */
  async replace(): Promise<DriveReplaced> {
    const { components } = this.#store;
    const columns = await this.#columns();
    const byDrive = Map.groupBy(columns, ({ volume, column }) => volume.extents[column]?.drive ?? -1);
    const [drive, lost] = [...byDrive].sort(([a, x], [b, y]) => y.length - x.length || a - b)[0] ?? [0, []];
    const before = await this.#chunksOf(lost);
    await rm(components.drives[drive]?.label ?? '', { recursive: true });
    const place = join(drivesPath(this.#store.path), String(components.drives.length).padStart(2, '0'));
    const { added } = await replaceDrive(this.#store, drive, place, undefined);
    const report = await repairPass(this.#store.volumes, { ignoreGrace: true });
    const now = new Map((await this.#columns()).map((one) => [nameOf(one), one]));
    const after = await this.#chunksOf(lost.map((one) => now.get(nameOf(one)) ?? one));
    for (const [name, digest] of before)
      if (after.get(name) !== digest) throw new DemoMismatch(name, 'what was made again is not what was there');
    return {
      drive,
      added: added[0]?.drive ?? -1,
      columns: report.columns,
      writtenBytes: report.writtenBytes,
      same: before.size,
      redundancy: await this.#whole(),
    };
  }

  /** One byte of one object changes, as disks do; the scrubber finds it, and its column is made again. */
  async rot(onBytes: (bytes: number) => void): Promise<RotRepaired> {
    const { components, volumes } = this.#store;
    const columns = await this.#columns();
    const rotten = columns[this.#random.below(columns.length)] as Column;
    await this.#flip(rotten);
    const { scrub } = await verifyStore(this.#store, {
      what: ['scrub'],
      allSinceMs: components.clock.nowMs() + 1,
      onProgress: ({ bytes = 0 }) => onBytes(bytes),
    });
    const found = scrub?.damage[0];
    if (found?.volume !== rotten.volume.id || found.column !== rotten.column)
      throw new DemoMismatch(nameOf(rotten), 'a byte of it was changed, and the scrubber did not see it');
    await repairPass(volumes, { ignoreGrace: true });
    const { column, volume } = found;
    const redundancy = await this.#whole();
    return { column, volume, readObjects: scrub?.objects ?? 0, readBytes: scrub?.bytes ?? 0, redundancy };
  }

  /** Columns of sealed volumes that hold something. */
  async #columns(): Promise<Column[]> {
    const { panda, settings } = this.#store.components;
    const volumes = (await listVolumes(panda, settings.cell)).filter(holdsData);
    return volumes.flatMap((volume) =>
      volume.extents.flatMap((_, column) => ((volume.extentUsedBytes[column] ?? 0) > 0 ? [{ volume, column }] : [])),
    );
  }

  /** By volume, column and name: the SHA-256 of each. Copies of directories may differ in what has died since. */
  async #chunksOf(columns: readonly Column[]): Promise<Map<string, string>> {
    const digests = new Map<string, string>();
    for (const one of columns) {
      const { drive, at } = this.#placeOf(one);
      for (const { name } of await drive.list(at))
        if (name !== DIRECTORY_PACK_NAME)
          digests.set(
            `${nameOf(one)}/${name}`,
            createHash('sha256')
              .update(await drive.read(at, name))
              .digest('hex'),
          );
    }
    return digests;
  }

  #placeOf({ volume, column }: Column) {
    const { drive, zone, zoneGeneration } = volume.extents[column] as VolumeRow['extents'][number];
    return { drive: this.#store.components.drives[drive] as Drive, at: { zone, generation: zoneGeneration } };
  }

  async #flip(one: Column): Promise<void> {
    const { drive, at } = this.#placeOf(one);
    const objects = (await drive.list(at)).filter(({ name }) => name !== DIRECTORY_PACK_NAME);
    const { name, bytes } = objects[this.#random.below(objects.length)] ?? { name: '', bytes: 0 };
    const file = await open(join(drive.label, String(at.zone), String(at.generation), name), 'r+');
    try {
      const byte = Buffer.alloc(1);
      const position = this.#random.below(bytes);
      await file.read(byte, 0, 1, position);
      await file.write(Buffer.from([byte.readUInt8() ^ 1]), 0, 1, position);
    } finally {
      await file.close();
    }
  }

  async #whole(): Promise<Redundancy> {
    const { redundancy } = await collectStatus(this.#store.components);
    if (redundancy.full !== redundancy.volumes)
      throw new DemoMismatch('redundancy', `${redundancy.full} of ${redundancy.volumes} volumes are complete`);
    return redundancy;
  }
}

const nameOf = ({ volume, column }: Column): string => `volume ${volume.id}, column ${column}`;
