// The parts of a gateway in front of an open store, put together.
import type { AccessKeys } from '../access/access-keys.ts';
import type { ObjectEngine } from '../client/face.ts';
import { Buckets } from './buckets.ts';
import { Gateway, type GatewayOptions } from './gateway.ts';
import { accessKeysOf, keysLookedUp } from './key-ring.ts';
import { GatewayObjects } from './objects.ts';
import { PublicBuckets } from './public-buckets.ts';
import { Uploads } from './uploads.ts';

export interface OpenGatewayOptions extends Pick<GatewayOptions, 'domains' | 'hosts' | 'onInternal'> {
  readonly region?: string;
  /** How many objects each batch of small ones has. */
  readonly onBatch?: (objects: number) => void;
}

export interface OpenGateway {
  readonly gateway: Gateway;
  readonly keys: AccessKeys;
  readonly objects: GatewayObjects;
  readonly buckets: Buckets;
  readonly uploads: Uploads;
  readonly anybody: PublicBuckets;
}

/** Where nothing else is said: clients take it for granted. */
const DEFAULT_REGION = 'us-east-1';

export function openGateway(engine: ObjectEngine, options: OpenGatewayOptions = {}): OpenGateway {
  const { region = DEFAULT_REGION, onBatch, ...rest } = options;
  const objects = new GatewayObjects(engine, onBatch);
  const buckets = new Buckets(objects);
  const uploads = new Uploads(objects);
  const anybody = new PublicBuckets(objects);
  const keys = accessKeysOf(objects);
  const known = keysLookedUp(keys, engine);
  const gateway = new Gateway({ ...rest, objects, buckets, uploads, anybody, region, findKey: (id) => known.of(id) });
  return { gateway, keys, objects, buckets, uploads, anybody };
}
