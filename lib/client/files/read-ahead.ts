// Small files on their way into a store, read a few batches ahead by threads. What they cannot vouch for is read the
// ordinary way, as are large files, and the last few.
import type { Clock } from '../../foundation/clock.ts';
import { isKeyFile } from '../../keys/key-file.ts';
import {
  FILE_STAMP_MS,
  READ_AHEAD_BATCH_BYTES,
  READ_AHEAD_BATCH_FILES,
  READ_AHEAD_BATCHES,
  READ_WHOLE_BYTES_MAX,
} from '../../limits/engine.ts';
import type { FileToPut } from './changed-files.ts';
import type { FileReaders, FilesRead, WholeFile } from './file-readers.ts';

/** Some at a time, in the order they are found. */
export async function* readAhead(
  found: AsyncIterable<readonly FileToPut[]>,
  readers: FileReaders,
  clock: Clock,
): AsyncGenerator<readonly FileToPut[]> {
  const sent: FileToPut[][] = [];
  let batch: FileToPut[] = [];
  let small: FileToPut[] = [];
  let bytes = 0;
  for await (const files of found)
    for (const file of files) {
      batch.push(file);
      if (file.stats.size <= READ_WHOLE_BYTES_MAX) {
        small.push(file);
        bytes += Number(file.stats.size);
      }
      if (bytes < READ_AHEAD_BATCH_BYTES && batch.length < READ_AHEAD_BATCH_FILES) continue;
      sent.push(send(batch, small, readers, clock));
      batch = [];
      small = [];
      bytes = 0;
      if (sent.length > READ_AHEAD_BATCHES) yield sent.shift() ?? [];
    }
  yield* sent;
  if (batch.length > 0) yield batch;
}

/** The same files; those that are being read have a body that waits for that. */
function send(
  batch: readonly FileToPut[],
  small: readonly FileToPut[],
  readers: FileReaders,
  clock: Clock,
): FileToPut[] {
  const reading = whole(small, readers, clock);
  reading.catch(() => {});
  let held = small.length;
  const isTaken = small.map(() => false);
  /**
   * Bytes are there for who asks first. Memory of the batch goes with the last of its files: as garbage it would grow
   * old before.
   */
  function own({ files, free: freeAll }: FilesRead, at: number): WholeFile | undefined {
    if (isTaken[at]) return undefined;
    isTaken[at] = true;
    const free = once(() => {
      held -= 1;
      if (held === 0) freeAll();
    });
    const file = files[at];
    if (file === undefined) free();
    return file && { ...file, free };
  }
  const places = new Map(small.map((file, i) => [file, i]));
  return batch.map((file) => {
    const at = places.get(file);
    return at === undefined ? file : { ...file, request: withWhole(file, async () => own(await reading, at)) };
  });
}

async function whole(small: readonly FileToPut[], readers: FileReaders, clock: Clock): Promise<FilesRead> {
  // What follows in the same tick of the file system's clock would leave no trace: it is waited for.
  const nowMs = clock.nowMs();
  if (small.some(({ stats }) => Math.abs(nowMs - Number(stats.ctimeMs)) < FILE_STAMP_MS))
    await clock.sleep(FILE_STAMP_MS);
  return readers.read(
    small.map(({ path, stats: { ino, dev, size, mtimeNs, ctimeNs } }) => ({ path, ino, dev, size, mtimeNs, ctimeNs })),
  );
}

function withWhole({ request }: FileToPut, read: () => Promise<WholeFile | undefined>): FileToPut['request'] {
  let isVerified = false;
  return {
    ...request,
    whole: async (bytesMax) => {
      const file = await read();
      // A key file is refused by whoever reads it alone.
      if (file === undefined || file.bytes.length > bytesMax || isKeyFile(file.bytes)) {
        file?.free?.();
        return undefined;
      }
      isVerified = true;
      return file;
    },
    verify: async () => {
      if (!isVerified) await request.verify?.();
    },
  };
}

function once(what: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) what();
    isDone = true;
  };
}
