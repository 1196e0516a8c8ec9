// A store of very many tiny objects as a rebuild sees it: chunks with sound headers and directories and holes for
// payloads, and a backup that names every record. Made in a minute where putting them would take an hour.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createEmbedded } from '../../lib/engine/wire/embedded.ts';
import { pandaPath } from '../../lib/engine/wire/store-layout.ts';
import { chunkName, encodeChunkHeader } from '../../lib/format/chunk.ts';
import { encodeGroupDirectory, type GroupEntry } from '../../lib/format/group-directory.ts';
import { crcOf } from '../../lib/format/wire.ts';
import {
  appendId,
  blockId,
  bucketId,
  type ObjectVersion,
  type RecordId,
  type StoreId,
  volumeId,
} from '../../lib/foundation/ids.ts';
import { systemRandomness } from '../../lib/foundation/randomness.ts';
import { wrapBek } from '../../lib/keys/envelope.ts';
import type { Row } from '../../lib/panda/panda.ts';
import { encodeAttributes } from '../../lib/panda/row-encoding.ts';
import { blockAttributes, blockKey } from '../../lib/panda/rows/block-row.ts';
import { objectAttributes, objectKey } from '../../lib/panda/rows/object-row.ts';
import { type StoreRow, storeAttributes, storeKey } from '../../lib/panda/rows/store-row.ts';
import { settingsOf } from '../../lib/settings/settings.ts';

const RECORDS_PER_GROUP = 4000;
const RECORD_BYTES = 80;
const COLUMNS = 4;
const DRIVES = 20;
/** Steps through all numbers below a count in another order than theirs. */
const STEPS = { records: 104_729, names: 15_485_863 };

const hex = (number: number, digits: number): string => number.toString(16).padStart(digits, '0');
const inOtherOrder = (i: number, count: number, step: number): number => (i * step) % count;

/** Spread over all partitions, and ascending. */
const blockOf = (i: number, count: number) => blockId(hex(Math.floor((i / count) * 0xffff_ffff), 8) + hex(i, 56));
const recordOf = (i: number): RecordId => createHash('sha256').update(String(i)).digest('hex').slice(0, 32) as RecordId;

export async function makeManyRecords(dir: string, backup: string, count: number): Promise<void> {
  const store = await createEmbedded(dir, { settings: settingsOf('demo'), drives: DRIVES });
  const { row } = store;
  const kek = await store.components.keks.kek(1);
  await store.close();
  await rm(pandaPath(dir));
  for (let from = 0; from < count; from += RECORDS_PER_GROUP)
    await makeGroup(dir, row.storeId, from / RECORDS_PER_GROUP, entriesOf(from, count));
  await writeBackup(backup, row, kek, count);
}

function entriesOf(from: number, count: number): GroupEntry[] {
  const bucket = bucketId(hex(from / RECORDS_PER_GROUP + 1, 16));
  return Array.from({ length: Math.min(RECORDS_PER_GROUP, count - from) }, (_, slot) => ({
    bucket,
    move: 1,
    slot,
    recordId: recordOf(inOtherOrder(from + slot, count, STEPS.records)),
    column: 0,
    offset: slot * RECORD_BYTES,
    length: RECORD_BYTES,
  }));
}

async function makeGroup(dir: string, storeId: StoreId, number: number, entries: readonly GroupEntry[]): Promise<void> {
  const directory = encodeGroupDirectory(entries);
  const bytes = entries.length * RECORD_BYTES;
  const parity = Math.ceil(bytes / 64) * 64;
  for (let column = 0; column < COLUMNS; column++) {
    const header = encodeChunkHeader({
      storeId,
      volumeId: volumeId(hex(number + 1, 16)),
      generation: 1,
      sequence: 1,
      token: 1,
      appendId: appendId(hex(number + 1, 32)),
      kind: 'move',
      codec: 'replica-4',
      column,
      columnBytes: [bytes, parity, parity, parity],
      columnCrcs: [0, 0, 0, 0],
      directoryBytes: directory.byteLength,
      directoryCrc: crcOf(directory),
    });
    const drive = String((number + column) % DRIVES).padStart(2, '0');
    const zone = join(dir, 'drives', drive, String(Math.floor(number / DRIVES) * COLUMNS + column), '1');
    await mkdir(zone, { recursive: true });
    const file = await open(join(zone, chunkName(1, 1)), 'w');
    await file.write(header, 0, header.byteLength, 0);
    await file.write(directory, 0, directory.byteLength, header.byteLength + (column === 0 ? bytes : parity));
    await file.close();
  }
}

function* rowsOf(store: StoreRow, kek: Uint8Array, count: number): Generator<Row> {
  const hint = { volume: volumeId(hex(1, 16)), generation: 1, seq: 1, token: 1, column: 0, offset: 0 };
  const common = { cell: store.settings.cell, bucket: bucketId(hex(1, 16)), slot: 0, recordBytes: RECORD_BYTES, hint };
  for (let i = 0; i < count; i++) {
    const block = {
      ...common,
      recordId: recordOf(i),
      plaintextBytes: 16,
      refs: 1,
      state: 'live',
      wrappedBek: wrapBek(systemRandomness.bytes(32), kek),
      kekVersion: 1,
    } as const;
    yield { ...blockKey(blockOf(i, count)), attributes: blockAttributes(block) };
  }
  for (let i = 0; i < count; i++) {
    const blocks = [blockOf(inOtherOrder(i, count, STEPS.names), count)];
    const names = { namespace: 'default', key: `many/${String(i).padStart(8, '0')}` };
    const sizes = { sizeBytes: 16, blockBytes: 16, createdAtMs: 0 };
    const version = hex(i, 24) as ObjectVersion;
    const lists = { blocks, segments: undefined, metadata: undefined };
    const attributes = objectAttributes({ ...names, ...sizes, ...lists, version, etag: hex(i, 64) });
    yield { ...objectKey(names.namespace, names.key), attributes };
  }
  yield { ...storeKey, attributes: storeAttributes(store) };
}

async function writeBackup(file: string, store: StoreRow, kek: Uint8Array, count: number): Promise<void> {
  const out = createWriteStream(file);
  const hash = createHash('sha256');
  const line = async (text: string): Promise<void> => {
    hash.update(`${text}\n`);
    if (!out.write(`${text}\n`)) await once(out, 'drain');
  };
  await line(JSON.stringify({ pocketful: 'backup', format: 1, storeId: store.storeId, createdAtMs: 0 }));
  let rows = 0;
  for (const { partition, sort, attributes } of rowsOf(store, kek, count)) {
    await line(`${JSON.stringify(partition)}\t${JSON.stringify(sort)}\t${encodeAttributes(attributes)}`);
    rows += 1;
  }
  out.end(`${JSON.stringify({ rows, sha256: hash.digest('hex') })}\n`);
  await once(out, 'close');
}
