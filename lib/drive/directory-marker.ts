// The marker file that proves a directory to be a certain drive of a certain store. Without it an unmounted disk would
// look like an empty drive, and its columns like lost ones.
import * as z from 'zod/mini';
import type { DriveId, StoreId } from '../foundation/ids.ts';
import { MARKER_BYTES_MAX } from '../limits/bytes.ts';
import { directoryError, isAbsence } from './directory-errors.ts';
import { driveUnavailable } from './errors.ts';
import { readFileRange } from './files.ts';

export const MARKER = 'pocketful-drive';

export interface DriveIdentity {
  readonly storeId: StoreId;
  readonly driveId: DriveId;
  /** Random, of the directory that was made this drive: one that was made it anew has another. Missing: any. */
  readonly incarnation?: string | undefined;
}

export interface Marker {
  readonly store: string;
  readonly drive: number;
  /** Missing in markers of earlier releases. */
  readonly incarnation?: string | undefined;
}

const schema = z.object({
  format: z.literal(1),
  store: z.string(),
  drive: z.int().check(z.nonnegative()),
  incarnation: z.optional(z.string()),
});

export const markerText = ({ storeId, driveId, incarnation }: DriveIdentity): string =>
  `${JSON.stringify({ format: 1, store: storeId, drive: driveId, incarnation })}\n`;

/** Whose drive `root` is; undefined if it has no marker. A marker that cannot be understood is DRIVE_UNAVAILABLE. */
export async function markerOf(root: string): Promise<Marker> {
  const bytes = await readFileRange(`${root}/${MARKER}`, 0, MARKER_BYTES_MAX);
  try {
    return schema.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
  } catch (cause) {
    throw driveUnavailable(root, `its marker ${MARKER} is damaged or of another version`, cause);
  }
}

/** Throws DRIVE_UNAVAILABLE unless the directory is that drive. */
export async function verifyMarker(root: string, identity: DriveIdentity): Promise<void> {
  try {
    assertMarker(root, await markerOf(root), identity);
  } catch (error) {
    if (isAbsence(error)) throw driveUnavailable(root, `no drive here (its file ${MARKER} is missing)`, error);
    throw directoryError(root, error);
  }
}

/** Throws DRIVE_UNAVAILABLE unless the marker read is that of `identity`. */
export function assertMarker(root: string, found: Marker, identity: DriveIdentity): void {
  if (found.store !== identity.storeId)
    throw driveUnavailable(root, `belongs to another store (${found.store.slice(0, 8)}…)`);
  if (found.drive !== identity.driveId)
    throw driveUnavailable(root, `is drive ${found.drive}, not drive ${identity.driveId}`);
  if (identity.incarnation !== undefined && found.incarnation !== identity.incarnation)
    throw driveUnavailable(
      root,
      `was made drive ${found.drive} anew, and holds nothing of what it held (another incarnation)`,
    );
}
