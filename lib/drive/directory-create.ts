// Makes a directory a drive: its folder for temporary files and, last, its marker.
import { invalid } from '../foundation/errors.ts';
import { ignoring, isAbsence, isPresence } from './directory-errors.ts';
import { type DriveIdentity, MARKER, markerOf, markerText } from './directory-marker.ts';
import { type LinkFile, nameFile } from './file-naming.ts';
import { makeFolder, readFolder, statPath, syncFolder, unlinkFile, writeDurably } from './files.ts';
import { WRITER_TAG } from './writer-tag.ts';

export const temporaryFolder = ({ storeId, driveId }: DriveIdentity): string =>
  `tmp-${storeId.slice(0, 12)}-${driveId}`;

let temporaries = 0;
export const temporaryName = (): string => `${WRITER_TAG}-${temporaries++}`;

/** Idempotent for one identity; two makers at once of one identity agree. */
export async function makeDrive(path: string, identity: DriveIdentity, link?: LinkFile): Promise<void> {
  const temporary = temporaryFolder(identity);
  await makeFolder(path, { recursive: true });
  const names = await readFolder(path);
  const isMarked = names.includes(MARKER) && !(await isEmpty(`${path}/${MARKER}`));
  if (!isMarked) {
    const strange = names.find((name) => ![temporary, MARKER, 'lost+found'].includes(name));
    if (strange !== undefined)
      throw invalid(
        'DRIVE_NOT_EMPTY',
        `${path}: holds ${JSON.stringify(strange)}; a new drive needs an empty directory`,
      );
    await ignoring(isPresence, makeFolder(`${path}/${temporary}`));
    if (names.includes(MARKER)) await ignoring(isAbsence, unlinkFile(`${path}/${MARKER}`));
    const file = `${path}/${temporary}/${temporaryName()}`;
    await writeDurably(file, [Buffer.from(markerText(identity))]);
    await ignoring(isPresence, nameFile(file, `${path}/${MARKER}`, link));
    await ignoring(isAbsence, unlinkFile(file));
    await syncFolder(path);
    await syncFolder(`${path}/..`);
  }
  const found = await markerOf(path);
  if (found.store !== identity.storeId || found.drive !== identity.driveId)
    throw invalid('DRIVE_TAKEN', `${path}: is drive ${found.drive} of store ${found.store.slice(0, 8)}… already`);
}

/** Of a maker that was killed while it named its marker where there are no hard links. */
async function isEmpty(marker: string): Promise<boolean> {
  return (await statPath(marker)).size === 0;
}
