// The errors of the drive port, one constructor each, so that every body words them alike.
import { conflict, denied, missing, type PocketfulError, retryLater } from '../foundation/errors.ts';

export const chunkExists = (label: string, key: string, cause?: unknown): PocketfulError =>
  conflict('CHUNK_EXISTS', `${label}: ${key} exists already`, cause);
export const chunkMissing = (label: string, key: string, cause?: unknown): PocketfulError =>
  missing('CHUNK_MISSING', `${label}: no object ${key}`, cause);
export const driveBusy = (label: string, what: string, cause?: unknown): PocketfulError =>
  retryLater('DRIVE_BUSY', `${label}: ${what}`, cause);
export const driveFull = (label: string, cause?: unknown): PocketfulError =>
  retryLater('DRIVE_FULL', `${label}: no space left`, cause);
export const driveReadOnly = (label: string, cause?: unknown): PocketfulError =>
  retryLater('DRIVE_READ_ONLY', `${label}: read-only`, cause);
export const driveUnavailable = (label: string, what: string, cause?: unknown): PocketfulError =>
  retryLater('DRIVE_UNAVAILABLE', `${label}: ${what}`, cause);
export const driveDenied = (label: string, cause?: unknown): PocketfulError =>
  denied('DRIVE_DENIED', `${label}: permission denied`, cause);
