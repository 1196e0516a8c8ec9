// Every code an error may have, and every code of a reason, as types: a code that is in no table does not compile.
// docs/errors.md is the same list for people, held to it by test/foundation/error-codes.test.ts.
import type { ErrorKind } from './codes/code-table.ts';
import { FILE_CODES, NAME_CODES, OPTION_CODES, PLAN_CODES, SETTINGS_CODES } from './codes/input.ts';
import { BYTES_CODES, WRITER_CODES } from './codes/inside.ts';
import {
  BLOCK_REASONS,
  FACT_REASONS,
  FLOW_REASONS,
  KEPT_REASONS,
  LACK_REASONS,
  MERGE_REASONS,
  PLAN_REASONS,
  REPAIR_REASONS,
  RUN_REASONS,
  THRESHOLD_REASONS,
  VERDICT_REASONS,
} from './codes/reasons.ts';
import { CALL_CODES, STAGE_CODES } from './codes/stage.ts';
import {
  BACKUP_CODES,
  DRIVE_CODES,
  JOURNAL_CODES,
  KEK_CODES,
  PANDA_CODES,
  STORE_CODES,
  STREAM_CODES,
} from './codes/store.ts';

/** By what a person is doing when one is met. */
export const ERROR_TABLES = {
  'Names and objects': NAME_CODES,
  'Files and folders': FILE_CODES,
  Options: OPTION_CODES,
  Settings: SETTINGS_CODES,
  'Plans and runs': PLAN_CODES,
  'The store': STORE_CODES,
  Metadata: PANDA_CODES,
  Drives: DRIVE_CODES,
  Keys: KEK_CODES,
  'The queue': STREAM_CODES,
  Backups: BACKUP_CODES,
  'The journal': JOURNAL_CODES,
  'A stage': STAGE_CODES,
  Calls: CALL_CODES,
  Writers: WRITER_CODES,
  'Bytes on drives': BYTES_CODES,
} as const;

export const REASON_TABLES = {
  Draining: FLOW_REASONS,
  'Planned runs': PLAN_REASONS,
  Verdicts: VERDICT_REASONS,
  'What explain says': FACT_REASONS,
  Merges: MERGE_REASONS,
  'Runs and volumes': RUN_REASONS,
  Repair: REPAIR_REASONS,
  'Emptied volumes': KEPT_REASONS,
  'Verified blocks': BLOCK_REASONS,
  Waiting: LACK_REASONS,
  'The threshold': THRESHOLD_REASONS,
} as const;

type Tables = (typeof ERROR_TABLES)[keyof typeof ERROR_TABLES];
type KeyOf<T> = T extends unknown ? keyof T : never;
type KindsIn<T, Code> = T extends unknown
  ? Code extends keyof T
    ? T[Code] extends readonly [infer Kinds, unknown]
      ? Kinds extends readonly (infer Kind)[]
        ? Kind
        : Kinds
      : never
    : never
  : never;

/** Stable, upper case: `NAME_TOO_LONG`. */
export type ErrorCode = KeyOf<Tables>;
/** Those that an error of this kind may have. */
export type CodeOf<Kind extends ErrorKind> = {
  [Code in ErrorCode]: Kind extends KindsIn<Tables, Code> ? Code : never;
}[ErrorCode];
/** Of a reason: an error's own, or one that is no error. */
export type ReasonCode = ErrorCode | KeyOf<(typeof REASON_TABLES)[keyof typeof REASON_TABLES]>;

/** A code that another process sent, maybe of a newer release: it is shown as it is. */
export const codeFrom = (text: string): ErrorCode => text as ErrorCode;
export const reasonCodeFrom = (text: string): ReasonCode => text as ReasonCode;
