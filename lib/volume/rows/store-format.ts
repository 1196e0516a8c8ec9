// The store's row says which format its rows and drives may have. It is raised before anything of a newer format is
// written, so that a release that does not know it refuses the store rather than take what it finds for damage.
import { isKind } from '../../foundation/errors.ts';
import type { Panda, Write } from '../../panda/panda.ts';
import { formatIsAsIn, isOlderFormat, raiseFormat, storeKey } from '../../panda/rows/store-row.ts';
import type { Components } from './components.ts';
import { transact } from './transact.ts';

/** A format is never lowered, so whoever has seen it need not look again. */
const seenNew = new WeakSet<Panda>();

/** Before the first row, or directory pack, of this release's format. */
export async function raiseStoreFormat(components: Pick<Components, 'panda' | 'clock' | 'randomness'>): Promise<void> {
  const { panda } = components;
  if (seenNew.has(panda)) return;
  const row = await panda.get(storeKey);
  if (row !== undefined && isOlderFormat(row)) {
    const isRaised = async (): Promise<boolean> => {
      const now = await panda.get(storeKey);
      return now !== undefined && !isOlderFormat(now);
    };
    const raise: Write = { kind: 'update', ...storeKey, ...raiseFormat, if: [formatIsAsIn(row)] };
    try {
      await transact(components, [raise], isRaised);
    } catch (error) {
      if (!isKind(error, 'conflict') || !(await isRaised())) throw error;
    }
  }
  seenNew.add(panda);
}
