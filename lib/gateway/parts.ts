// What every operation has at hand.
import type { Buckets } from './buckets.ts';
import type { Call, GatewayAnswer } from './exchange.ts';
import type { GatewayObjects } from './objects.ts';
import type { Uploads } from './uploads.ts';

export interface GatewayParts {
  readonly objects: GatewayObjects;
  readonly buckets: Buckets;
  readonly uploads: Uploads;
  /** What GetBucketLocation says. */
  readonly region: string;
}

export type Handler = (parts: GatewayParts, call: Call) => Promise<GatewayAnswer>;
