// The verifiers' passes, beside everything: rows never lead nowhere, and what is read back is what its name says, at any moment. What they say of
// objects on drives is judged at rest, as doctor's looks are.
import { verifyStore } from '../../../lib/engine/upkeep/verify.ts';
import type { SeededRandomness } from '../../../lib/foundation/randomness.ts';
import { Violation } from '../checkers/violation.ts';
import type { Acting, SimWorld } from './sim-world.ts';

export async function verify(world: SimWorld, acting: Acting, random: SeededRandomness): Promise<void> {
  const nowMs = Math.max(0, acting.components.clock.nowMs());
  const pace = random.below(2) === 0 ? undefined : { everyMs: 1 + random.below(60_000) };
  const allSinceMs = random.below(3) === 0 ? undefined : nowMs;
  const { index, sample } = await verifyStore(acting, { allSinceMs }, pace);
  if (world.wasPutBack || world.mayHaveLost) return;
  const wrong = index?.faults.find(({ fault }) => fault !== 'CHUNK_UNLISTED');
  if (wrong !== undefined) throw new Violation('wrong', `index scanner: block ${wrong.block}: ${wrong.fault}`);
  const other = sample?.faults.find(({ fault }) => fault === 'BLOCK_OTHER');
  if (other !== undefined) throw new Violation('wrong', `storage watcher: block ${other.block} reads as another`);
}
