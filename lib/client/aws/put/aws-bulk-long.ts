// One object of a bulk put that is longer than a gathering, or of which nobody says how long it is: an upload in parts,
// as any long object, but for its bytes, which are staged and stored many at once. Nobody sees it before it is whole.
import { cutBlocks } from '../../../frontend/cut-blocks.ts';
import type { ResultOf } from '../../../service/protocol.ts';
import type { PutReport, PutRequest } from '../../face.ts';
import { type FrontendCaller, isTurnedAway } from '../aws-call.ts';
import type { StagedPart, Staging } from './aws-staging.ts';

interface LongPutParts {
  readonly caller: FrontendCaller;
  readonly namespace: string;
  readonly staging: Staging;
  readonly sizes: ResultOf<'bulkBegin'>;
}

/** Parts that one call stores. */
interface Slice {
  readonly at: number;
  readonly parts: Promise<StagedPart>[];
  bytes: number;
}

export async function putLongBulk(
  { caller, namespace, staging, sizes }: LongPutParts,
  { key, metadata, ifVersion, verify, sizeBytes: saidBytes }: PutRequest,
  body: AsyncIterable<Uint8Array>,
): Promise<PutReport> {
  const { upload, partBytesMax } = await caller.call({ op: 'uploadBegin', namespace, key });
  const partBytes = Math.min(partBytesMax, sizes.gatherBytesMax);
  let underWay: Promise<void> = Promise.resolve();
  try {
    const sliceBytes = sliceBytesOf(sizes.gatherBytesMax, partBytes, saidBytes);
    let slice: Slice = { at: 0, parts: [], bytes: 0 };
    const store = async (): Promise<void> => {
      await underWay;
      underWay = extend({ caller, namespace }, upload, slice);
      underWay.catch(() => {});
      slice = { at: slice.at + slice.bytes, parts: [], bytes: 0 };
    };
    for await (const part of cutBlocks(() => body, partBytes)) {
      if (slice.bytes + part.byteLength > sliceBytes) await store();
      await staging.stage(part, slice.parts);
      slice.bytes += part.byteLength;
    }
    await store();
    await underWay;
    await verify?.();
    const sizeBytes = slice.at;
    const { object } = await caller.call({
      ...({ op: 'uploadFinish', upload, namespace, key, sizeBytes, metadata } as const),
      ifVersion,
    });
    const { version, etag } = object;
    // How much of it was new is not counted over the calls.
    return { key, ok: true, version, etag, sizeBytes, newBytes: undefined };
  } catch (error) {
    await underWay.catch(() => undefined);
    // Best effort: an upload that nobody finishes is released by the store.
    await caller.call({ op: 'uploadAbort', upload }).catch(() => undefined);
    throw error;
  }
}

/** Whole parts, as many as a call takes; where the length is known all calls have about the same, the last one too. */
function sliceBytesOf(gatherBytesMax: number, partBytes: number, saidBytes: number | undefined): number {
  const mostParts = Math.max(1, Math.floor(gatherBytesMax / partBytes));
  if (saidBytes === undefined) return mostParts * partBytes;
  const calls = Math.max(1, Math.ceil(saidBytes / (mostParts * partBytes)));
  return Math.min(mostParts, Math.ceil(saidBytes / calls / partBytes)) * partBytes;
}

/** All of a slice; what there was no time for, and what was turned away, is asked for again. */
async function extend(
  { caller, namespace }: Pick<LongPutParts, 'caller' | 'namespace'>,
  upload: string,
  slice: Slice,
): Promise<void> {
  const parts = await Promise.all(slice.parts);
  let offset = 0;
  for (let attempt = 1; offset < slice.bytes; attempt++) {
    try {
      const request = { op: 'bulkExtend' as const, namespace, upload, at: slice.at + offset, parts, offset };
      offset += (await caller.call(request)).storedBytes;
      attempt = 0;
    } catch (error) {
      if (!(error instanceof Error) || !isTurnedAway(error) || !(await caller.mayRetry(attempt))) throw error;
    }
  }
}
