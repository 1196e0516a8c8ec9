// What every operation has at hand.
import type { Buckets } from './buckets.ts';
import type { Call, GatewayAnswer } from './exchange.ts';
import type { GatewayObjects } from './objects.ts';
import type { PublicBuckets } from './public-buckets.ts';
import type { Uploads } from './uploads.ts';

export interface GatewayParts {
  readonly objects: GatewayObjects;
  readonly buckets: Buckets;
  readonly uploads: Uploads;
  /** What may be done without a key. */
  readonly anybody: PublicBuckets;
  /** What GetBucketLocation says. */
  readonly region: string;
}

export type Handler = (parts: GatewayParts, call: Call) => Promise<GatewayAnswer>;
