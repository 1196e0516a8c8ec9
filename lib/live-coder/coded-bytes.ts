// What buckets take on the drives once they are coded, at the most: asked where there is little room for it.
import type { CodecName } from '../codec/codec.ts';
import { codecShape } from '../codec/shape.ts';
import type { BucketRow } from '../panda/rows/bucket-row.ts';
import { directoryBytesOf, directoryColumns } from '../volume/rows/directory-room.ts';

/** Headers and padding of a column. */
const COLUMN_FRAME_BYTES = 1024;
/** Of the group, and of its buckets. */
const DIRECTORIES = 2;

/** With parity, and with directories for as many slots as there are, dead ones too. */
export function codedBytesOf(buckets: readonly BucketRow[], codec: CodecName): number {
  const { dataColumns, parityColumns } = codecShape(codec);
  const living = buckets.filter(({ liveBytes }) => liveBytes > 0);
  const recordBytes = living.reduce((sum, { liveBytes }) => sum + liveBytes, 0);
  const directoryBytes = directoryBytesOf(living.map(({ slots }) => slots));
  return (
    Math.ceil((recordBytes * (dataColumns + parityColumns)) / dataColumns) +
    (dataColumns + parityColumns) * COLUMN_FRAME_BYTES +
    DIRECTORIES * directoryColumns({ codec }).length * directoryBytes
  );
}
