// Bucket directories of sealed volumes: out of the volume's pack on any of its m+1 columns, or, where the volume was
// sealed before there were packs, from an object each. They never change once written, so they are cached under volume
// and generation.
import { type BucketDirectory, parseBucketDirectory } from '../../format/bucket-directory.ts';
import { type PackEntry, type PackHeader, parsePackHeader, parsePackIndex } from '../../format/directory-pack.ts';
import { bucketDirectoryName, DIRECTORY_PACK_NAME } from '../../format/object-names.ts';
import { isKind, isPocketfulError, missing } from '../../foundation/errors.ts';
import type { BucketId } from '../../foundation/ids.ts';
import { LruCache } from '../../foundation/lru.ts';
import {
  PACK_HEAD_BYTES,
  PACK_TABLES_BYTES_MAX,
  SEALED_DIRECTORIES_BYTES_MAX,
  WHOLE_PACK_BYTES_MAX,
} from '../../limits/reads.ts';
import type { VolumeRow } from '../../panda/rows/volume-row.ts';
import { directoryColumns } from '../rows/directory-room.ts';
import { ColumnFaults } from './column-faults.ts';
import { type ReadPorts, readableFirst, readObject } from './read-column.ts';
import { SharedReads } from './shared-reads.ts';

/** Of a place in memory. */
const ENTRY_BYTES = 160;

/** Whether the caller reads one record, or will go on with other buckets of the volume. */
export type Reading = 'one bucket' | 'many buckets';

interface Pack {
  readonly header: PackHeader;
  readonly entries: ReadonlyMap<BucketId, PackEntry>;
  /** The directories before this offset were in what was read at first. */
  readonly seenBytes: number;
}

/** Directories that came with what was read for another reason. */
type Found = ReadonlyMap<BucketId, BucketDirectory>;
const NOTHING: Found = new Map();

export class SealedDirectories {
  readonly #ports: ReadPorts;
  readonly #directories = new LruCache<string, BucketDirectory>(
    SEALED_DIRECTORIES_BYTES_MAX,
    ({ memoryBytes }) => memoryBytes,
  );
  /** By volume, generation and column; undefined where there is none. */
  readonly #packs = new LruCache<string, { readonly pack: Pack | undefined }>(
    PACK_TABLES_BYTES_MAX,
    ({ pack }) => 256 + ENTRY_BYTES * (pack?.entries.size ?? 0),
  );
  readonly #reads = new SharedReads();

  constructor(ports: ReadPorts) {
    this.#ports = ports;
  }

  /** From any column that has it, or what each of them answered. */
  async find(volume: VolumeRow, bucket: BucketId, reading: Reading): Promise<BucketDirectory | ColumnFaults> {
    const known = this.#known(volume, bucket);
    if (known !== undefined) return known;
    return this.#reads.once(`${keyOf(volume)}/${bucket}`, async () => {
      const faults = new ColumnFaults(volume, this.#ports.components.drives);
      for (const column of readableFirst(this.#ports, volume, directoryColumns(volume))) {
        try {
          return await this.#fromColumn(volume, column, bucket, reading);
        } catch (error) {
          faults.add(column, error);
        }
      }
      return faults;
    });
  }

  forget({ id }: Pick<VolumeRow, 'id'>): void {
    for (const key of this.#reads.forget(id)) {
      this.#directories.delete(key);
      this.#packs.delete(key);
    }
  }

  async #fromColumn(volume: VolumeRow, column: number, id: BucketId, reading: Reading): Promise<BucketDirectory> {
    const { pack, found } = await this.#packOf(volume, column, reading);
    if (pack === undefined) return this.#alone(volume, column, id);
    const entry = pack.entries.get(id);
    if (entry === undefined)
      throw missing('DIRECTORY_MISSING', `the directory pack of volume ${volume.id} has no bucket ${id}`);
    const seen = found.get(id) ?? this.#known(volume, id);
    if (seen !== undefined) return seen;
    const wantsRest = reading === 'many buckets' && pack.header.totalBytes <= WHOLE_PACK_BYTES_MAX;
    const isRest = wantsRest && entry.offset >= pack.seenBytes;
    const from = isRest ? pack.seenBytes : entry.offset;
    const to = isRest ? pack.header.totalBytes : entry.offset + entry.length;
    const range = { offset: from, length: to - from };
    const bytes = await this.#reads.once(`${keyOf(volume)}/${column}/${from}-${to}`, () =>
      readObject(this.#ports, volume, column, DIRECTORY_PACK_NAME, range),
    );
    if (isRest) this.#learnAll(volume, pack, bytes, from);
    const at = entry.offset - from;
    return this.#learn(volume, id, bytes.subarray(at, at + entry.length));
  }

  /** Of a volume that was sealed before there were packs. */
  async #alone(volume: VolumeRow, column: number, id: BucketId): Promise<BucketDirectory> {
    return this.#learn(volume, id, await readObject(this.#ports, volume, column, bucketDirectoryName(id)));
  }

  async #packOf(
    volume: VolumeRow,
    column: number,
    reading: Reading,
  ): Promise<{ readonly pack: Pack | undefined; readonly found: Found }> {
    const key = `${keyOf(volume)}/${column}`;
    const known = this.#packs.get(key);
    if (known !== undefined) return { pack: known.pack, found: NOTHING };
    return this.#reads.once(key, async () => {
      const read = await this.#readPack(
        volume,
        column,
        reading === 'one bucket' ? PACK_HEAD_BYTES : WHOLE_PACK_BYTES_MAX,
      );
      // While its seal is pending a pack that is not there may still be written.
      if (read.pack === undefined && volume.directoriesPending) return read;
      this.#packs.set(key, { pack: read.pack });
      this.#reads.note(volume.id, key);
      return read;
    });
  }

  async #readPack(volume: VolumeRow, column: number, length: number) {
    const read = (bytes: number): Promise<Uint8Array> =>
      readObject(this.#ports, volume, column, DIRECTORY_PACK_NAME, { offset: 0, length: bytes });
    let bytes: Uint8Array;
    try {
      bytes = await read(length);
    } catch (error) {
      if (!isKind(error, 'missing')) throw error;
      return { pack: undefined, found: NOTHING };
    }
    const header = parsePackHeader(bytes, this.#ownerOf(volume));
    if (header.headBytes > bytes.length && bytes.length === length) bytes = await read(header.headBytes);
    const entries = parsePackIndex(header, bytes);
    const cut = entries.find((entry) => entry.offset + entry.length > bytes.length);
    const pack = {
      header,
      entries: new Map(entries.map((entry) => [entry.bucket, entry])),
      seenBytes: cut?.offset ?? header.totalBytes,
    };
    return { pack, found: this.#learnAll(volume, pack, bytes, 0) };
  }

  /** Every directory that lies in these bytes; a damaged one is left to whoever wants it. */
  #learnAll(volume: VolumeRow, { entries }: Pack, bytes: Uint8Array, from: number): Found {
    const found = new Map<BucketId, BucketDirectory>();
    for (const { bucket, offset, length } of entries.values()) {
      if (offset < from || offset + length > from + bytes.length) continue;
      try {
        found.set(bucket, this.#learn(volume, bucket, bytes.subarray(offset - from, offset - from + length)));
      } catch (error) {
        if (!isPocketfulError(error)) throw error;
      }
    }
    return found;
  }

  #learn(volume: VolumeRow, bucket: BucketId, bytes: Uint8Array): BucketDirectory {
    const directory = parseBucketDirectory(bytes, { ...this.#ownerOf(volume), bucket });
    const key = `${keyOf(volume)}/${bucket}`;
    this.#directories.set(key, directory);
    this.#reads.note(volume.id, key);
    return directory;
  }

  #known(volume: VolumeRow, bucket: BucketId): BucketDirectory | undefined {
    return this.#directories.get(`${keyOf(volume)}/${bucket}`);
  }

  #ownerOf({ id, generation }: VolumeRow) {
    return { storeId: this.#ports.components.storeId, volumeId: id, generation };
  }
}

/** A repaired volume has them in other places, and where there were none. */
const keyOf = ({ id, generation, revision }: VolumeRow): string => `${id}/${generation}.${revision}`;
