// The rows of a backup as a rebuild reads them: table by table, several times, so that they need not be held.
import type { Row } from '../../panda/panda.ts';

export interface BackupSource {
  /** Rows whose partition begins with one of `tables`, in the order of the backup. */
  rows(tables: readonly string[]): AsyncIterable<Row>;
}
