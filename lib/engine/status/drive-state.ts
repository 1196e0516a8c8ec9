// What a drive answers now: it is written to and read.
import type { Drive } from '../../drive/drive.ts';
import type { ErrorCode } from '../../foundation/error-codes.ts';
import { isPocketfulError, type PocketfulError } from '../../foundation/errors.ts';
import { type DriveState, isAway } from './status.ts';

const STATE_OF_CODE: Readonly<Partial<Record<ErrorCode, DriveState>>> = {
  DRIVE_UNAVAILABLE: 'unavailable',
  DRIVE_READ_ONLY: 'read-only',
  DRIVE_FULL: 'full',
  DRIVE_DENIED: 'denied',
};

/** Why it cannot be written and read as it should; undefined: it can. */
export const driveFault = async (drive: Drive): Promise<ErrorCode | undefined> => (await driveError(drive))?.code;

/** The same, with what is said of it. */
export async function driveError(drive: Drive): Promise<PocketfulError | undefined> {
  try {
    await drive.probe();
    return undefined;
  } catch (error) {
    if (!isPocketfulError(error)) throw error;
    return error;
  }
}

/**
 * Why it cannot be read, by asking for an object that nobody has: costs next to nothing on a drive that is paid by the
 * call. One that is busy is there.
 */
export async function readFault(drive: Drive): Promise<ErrorCode | undefined> {
  try {
    await drive.read({ zone: 0, generation: 0 }, 'asked', { offset: 0, length: 1 });
    return undefined;
  } catch (error) {
    if (!isPocketfulError(error)) throw error;
    return error.kind === 'missing' || error.code === 'DRIVE_BUSY' ? undefined : error.code;
  }
}

const stateOf = (fault: ErrorCode | undefined): DriveState =>
  fault === undefined ? 'ok' : (STATE_OF_CODE[fault] ?? 'busy');

export const driveState = async (drive: Drive): Promise<DriveState> => stateOf(await driveFault(drive));

/** Nothing can be read there now; what is full or read-only can. */
export const isUnreadable = (fault: ErrorCode | undefined): boolean => isAway(stateOf(fault));
