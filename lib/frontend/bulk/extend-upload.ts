// Bytes of an upload in parts (upload-parts.ts) that come in large amounts: the same segments, of which as many are
// under way at once as make a large group. They may come again, and are the same segments then: where they end goes by
// their first block alone.
import { invalid } from '../../foundation/errors.ts';
import type { ObjectVersion } from '../../foundation/ids.ts';
import type { VolumeStore } from '../../volume/volume-store.ts';
import type { HeldBlock } from '../blocks/held-block.ts';
import type { KekRing } from '../kek-ring.ts';
import { storeSegments } from '../put-long.ts';
import { heldBlocksOf } from '../store-blocks.ts';
import { gone, putSegment, readUpload } from '../upload-parts.ts';
import type { PutRoom } from './put-room.ts';

export interface UploadRun {
  readonly upload: ObjectVersion;
  /** The upload's. */
  readonly namespace: string;
  /** Where in the object: a multiple of the block size. */
  readonly at: number;
  /** Whole blocks, except at the end of the object. */
  readonly body: () => AsyncIterable<Uint8Array>;
  readonly ownBlocks: boolean;
  /** False: no further segment is begun. */
  mayGoOn(): boolean;
}

/** How many bytes are stored, from the first on. Throws what `putPart` does, `invalid` UPLOAD_MISMATCH. */
export async function extendUpload(store: VolumeStore, keks: KekRing, room: PutRoom, run: UploadRun): Promise<number> {
  const { blockBytesMax } = store.components.settings;
  if (run.at % blockBytesMax !== 0)
    throw invalid('PART_INVALID', `a part begins at a multiple of ${blockBytesMax}, not at ${run.at}`);
  const upload = await readUpload(store.components, run.upload);
  if (upload === undefined) throw gone();
  const { namespace, key } = upload;
  if (namespace !== run.namespace) throw invalid('UPLOAD_MISMATCH', 'the upload was begun for another object');
  const blocks = heldBlocksOf({ namespace, key, body: run.body, ownBlocks: run.ownBlocks }, blockBytesMax);
  const lane = await store.components.laneOf?.(namespace);
  const turn = await room.longPut();
  room.reader?.end();
  let block = run.at / blockBytesMax;
  let storedBytes = 0;
  const storeOne = (window: readonly HeldBlock[]): Promise<void> => {
    const index = block;
    block += window.length;
    storedBytes += window.reduce((sum, { length }) => sum + length, 0);
    return putSegment(store, keks, { upload, lane }, index, window, room.bulk);
  };
  const source = {
    blocks,
    room: (window: readonly HeldBlock[]) => room.segment(window, turn.reader),
    segmentBytesMax: room.segmentBytesMax,
    onRead: turn.read,
    bulk: room.bulk,
    mayGoOn: () => run.mayGoOn(),
  };
  try {
    await storeSegments(source, storeOne);
  } finally {
    turn.done();
  }
  return storedBytes;
}
