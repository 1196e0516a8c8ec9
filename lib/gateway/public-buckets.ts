// S3 buckets that were made public on purpose: what anybody may do there without a key, which is reading objects, and
// listing them only if that was said. Each is an object beside the access keys, so nobody can name it, and it is looked
// up as often as these are.
import * as z from 'zod';
import { parseRule, type Rule, ruleText } from '../access/policy.ts';
import { Believed } from '../foundation/believed.ts';
import { invalid, isKind } from '../foundation/errors.ts';
import { ACCESS_KEY_BYTES_MAX, ACCESS_KEYS_KEPT, ACCESS_LOOK_EVERY_MS } from '../limits/gateway.ts';
import { ACCESS, type GatewayObjects } from './objects.ts';

/** No id of a key begins so. */
const PREFIX = 'anybody/';
const PUBLIC_RIGHTS: readonly string[] = ['read', 'list'];
const NAME = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const stored = z.strictObject({ rule: z.string() });

/** Throws `invalid` RULE_INVALID: it names one S3 bucket, and grants nothing but reading and listing. */
export function publicRule(place: string, isListed: boolean): Rule {
  const rule = parseRule(`${isListed ? 'read,list' : 'read'}:${place}`);
  if (rule.bucket === '*') throw invalid('RULE_INVALID', 'say which S3 bucket is to be public: not all of them');
  return rule;
}

export class PublicBuckets {
  readonly #objects: GatewayObjects;
  readonly #known: Believed<Rule | undefined>;

  constructor(objects: GatewayObjects) {
    this.#objects = objects;
    this.#known = new Believed({
      clock: objects.engine.clock,
      forMs: ACCESS_LOOK_EVERY_MS,
      keptMax: ACCESS_KEYS_KEPT,
      ask: (bucket) => this.#read(bucket),
    });
  }

  /** As it was within the last seconds; undefined: nobody may do anything without a key. */
  async rule(bucket: string): Promise<Rule | undefined> {
    return NAME.test(bucket) ? this.#known.of(bucket) : undefined;
  }

  /** In place of what was public of it before. */
  async open(rule: Rule): Promise<void> {
    const body = Buffer.from(JSON.stringify({ rule: ruleText(rule) }));
    const key = PREFIX + rule.bucket;
    await this.#objects.batcher.put({ namespace: ACCESS, key, body, sizeBytes: body.length, isAnyKey: true });
    this.#known.forget(rule.bucket);
  }

  /** False if it was not public. */
  async close(bucket: string): Promise<boolean> {
    const wasPublic = await this.#objects.delete(ACCESS, PREFIX + bucket);
    this.#known.forget(bucket);
    return wasPublic;
  }

  async *list(): AsyncGenerator<Rule> {
    for await (const { key } of this.#objects.listAll(ACCESS, PREFIX)) {
      const rule = await this.#read(key.slice(PREFIX.length));
      if (rule !== undefined) yield rule;
    }
  }

  /** Whatever is there, it grants no more than may be public. */
  async #read(bucket: string): Promise<Rule | undefined> {
    let bytes: Uint8Array;
    try {
      bytes = await this.#objects.engine.read(ACCESS, PREFIX + bucket, ACCESS_KEY_BYTES_MAX);
    } catch (error) {
      if (isKind(error, 'missing')) return undefined;
      throw error;
    }
    const rule = parseRule(stored.parse(JSON.parse(Buffer.from(bytes).toString())).rule);
    const isSound = rule.bucket === bucket && rule.rights.every((right) => PUBLIC_RIGHTS.includes(right));
    return isSound ? rule : undefined;
  }
}
