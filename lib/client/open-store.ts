// Opens the store behind an address, whichever engine that names.
import { type Clock, systemClock } from '../foundation/clock.ts';
import { type Randomness, systemRandomness } from '../foundation/randomness.ts';
import { DEFAULT_ADDRESS, DEFAULT_NAMESPACE, type PocketfulStore, parseAddress } from './face.ts';
import { openEmbeddedClient } from './file/embedded-client.ts';

export interface OpenOptions {
  readonly namespace?: string;
  readonly clock?: Clock;
  readonly randomness?: Randomness;
  /** Opens it even if its keys are not there, for whoever looks at it; those of a stage are not kept here. */
  readonly withoutKeys?: boolean;
}

/** Opens a store that exists. */
export async function openStore(address = DEFAULT_ADDRESS, options: OpenOptions = {}): Promise<PocketfulStore> {
  const parsed = parseAddress(address);
  const { namespace = DEFAULT_NAMESPACE, clock = systemClock, randomness = systemRandomness } = options;
  const { withoutKeys = false } = options;
  if (parsed.engine === 'aws') {
    // The AWS SDK takes longer to load than most commands on a file: store take.
    const { openStageClient } = await import('./aws/stage-client.ts');
    return openStageClient({ stage: parsed.stage, namespace, clock, randomness });
  }
  return openEmbeddedClient(parsed.dir, { namespace, clock, randomness, withoutKeys });
}
