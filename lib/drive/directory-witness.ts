// The file on a directory drive that says which Panda wrote to it last. It is written by every process that begins to
// write, without an fsync: a lost or damaged one says nothing and harms nothing, which could not be said of the marker
// beside it.
import * as fs from 'node:fs/promises';
import * as z from 'zod/mini';
import { assertMarker, type DriveIdentity, markerOf } from './directory-marker.ts';

export const WITNESS = 'pocketful-writer';

const schema = z.object({
  format: z.literal(1),
  epoch: z.int().check(z.nonnegative()),
  instance: z.string(),
  opens: z.int().check(z.nonnegative()),
  mark: z.string(),
  /** The store's directory as that process saw it, and its host. */
  path: z.string(),
  host: z.string(),
});
export type Witness = Readonly<Omit<z.infer<typeof schema>, 'format'>>;

/** Undefined if there is none that can be read, or the directory is not that drive. */
export async function readWitness(root: string, identity: DriveIdentity): Promise<Witness | undefined> {
  try {
    assertMarker(root, await markerOf(root), identity);
    return schema.parse(JSON.parse(await fs.readFile(`${root}/${WITNESS}`, 'utf8')));
  } catch {
    return undefined;
  }
}

/**
 * Replaces it; a drive that is away, full or read-only keeps what it had. `nonce` keeps the writers of one drive apart.
 */
export async function writeWitness(
  root: string,
  identity: DriveIdentity,
  witness: Witness,
  nonce: string,
): Promise<void> {
  const temporary = `${root}/${WITNESS}.${nonce}`;
  try {
    assertMarker(root, await markerOf(root), identity);
    await fs.writeFile(temporary, `${JSON.stringify({ format: 1, ...witness })}\n`, { mode: 0o600 });
    await fs.rename(temporary, `${root}/${WITNESS}`);
  } catch {
    await fs.rm(temporary, { force: true }).catch(() => undefined);
  }
}
