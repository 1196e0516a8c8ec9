// The marker file that proves a directory to be a certain drive of a certain store. Without it an unmounted disk would
// look like an empty drive, and its columns like lost ones.
import * as z from 'zod';
import type { DriveId, StoreId } from '../foundation/ids.ts';
import { MARKER_BYTES_MAX } from '../limits/bytes.ts';
import { driveUnavailable } from './errors.ts';
import { readFileRange } from './files.ts';

export const MARKER = 'pocketful-drive';

export interface DriveIdentity {
  readonly storeId: StoreId;
  readonly driveId: DriveId;
}

const schema = z.object({ format: z.literal(1), store: z.string(), drive: z.int().nonnegative() });

export const markerText = ({ storeId, driveId }: DriveIdentity): string =>
  `${JSON.stringify({ format: 1, store: storeId, drive: driveId })}\n`;

/** Whose drive `root` is; undefined if it has no marker. A marker that cannot be understood is DRIVE_UNAVAILABLE. */
export async function markerOf(root: string): Promise<{ store: string; drive: number }> {
  const bytes = await readFileRange(`${root}/${MARKER}`, 0, MARKER_BYTES_MAX);
  try {
    return schema.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
  } catch (cause) {
    throw driveUnavailable(root, `its marker ${MARKER} is damaged or of another version`, cause);
  }
}

/** Throws DRIVE_UNAVAILABLE unless the marker read is that of `identity`. */
export function assertMarker(root: string, found: { store: string; drive: number }, identity: DriveIdentity): void {
  if (found.store !== identity.storeId)
    throw driveUnavailable(root, `belongs to another store (${found.store.slice(0, 8)}…)`);
  if (found.drive !== identity.driveId)
    throw driveUnavailable(root, `is drive ${found.drive}, not drive ${identity.driveId}`);
}
