// A page that a command writes for its user, beside what it prints: the file is asked for before the work, not after
// it.
import { assertWritable, writeOutput } from '../../../lib/drive/file-output.ts';

export interface PageOptions {
  readonly overwrite?: boolean;
}

/**
 * Checks that `file` may be written, and returns what writes it; without a file both do nothing. Throws `conflict`
 * FILE_EXISTS.
 */
export async function pageTo(
  file: string | undefined,
  { overwrite }: PageOptions,
): Promise<(page: () => string) => Promise<void>> {
  if (file === undefined) return async () => {};
  await assertWritable(file, { overwrite });
  return (page) => writeOutput(file, { overwrite }, (handle) => handle.writeFile(page()));
}
