// Doctor's look at the keys: each version that blocks are wrapped by has to open.
import { isPocketfulError } from '../../foundation/errors.ts';
import { isKeyDestroyed } from '../../keys/keys.ts';
import type { Findings } from '../../verify/findings.ts';
import type { Components } from '../../volume/rows/components.ts';
import { kekFaults } from '../../volume/rows/known-keks.ts';

/** Before any row is read: a version that is destroyed later was needed by none when it was, whatever was read. */
export async function destroyedKeys({ keks }: Components): Promise<ReadonlySet<number>> {
  try {
    return new Set((await keks.versions()).filter(({ state }) => state === 'destroyed').map(({ version }) => version));
  } catch (error) {
    if (!isPocketfulError(error)) throw error;
    return new Set(); // said below, of the blocks
  }
}

/** `kekVersions`: how many blocks each version wraps. */
export async function judgeKeys(
  components: Components,
  kekVersions: ReadonlyMap<number, number>,
  destroyed: ReadonlySet<number>,
  findings: Findings,
): Promise<void> {
  for (const [version, blocks] of kekVersions) {
    try {
      await components.keks.kek(version);
    } catch (error) {
      if (!isPocketfulError(error)) throw error;
      if (isKeyDestroyed(error) && !destroyed.has(version)) continue;
      findings.add('lost', 'key', `${blocks} blocks are wrapped by key version ${version}: ${error.message}`);
    }
  }
  try {
    for (const { message } of await kekFaults(components)) findings.add('wrong', 'key', message);
  } catch (error) {
    // No key file, or not one of this store: said above, of the blocks.
    if (!isPocketfulError(error)) throw error;
  }
}
