// Access keys of the S3 endpoint. Each is an object of a namespace that no client can name, and its secret is in that
// object's content: sealed as every block is, under a key that the key-encryption key wraps, rotated with it, and
// shredded when it is removed.
import * as z from 'zod';
import { invalid, isKind, missing } from '../foundation/errors.ts';
import type { Randomness } from '../foundation/randomness.ts';
import { ACCESS_KEY_BYTES_MAX, ACCESS_RULES_MAX } from '../limits/gateway.ts';
import { parseRule, type Rule, ruleText } from './policy.ts';

export interface AccessKey {
  /** What requests name it by. */
  readonly id: string;
  readonly secret: string;
  /** A person's name for it. */
  readonly name: string;
  readonly createdAtMs: number;
  readonly rules: readonly Rule[];
}

/** The objects of one namespace. */
export interface KeyObjects {
  /** Throws `conflict` VERSION_MISMATCH if it is new and there is one. */
  put(key: string, body: Uint8Array, isNew: boolean): Promise<void>;
  /** Throws `missing` OBJECT_MISSING. */
  read(key: string, bytesMax: number): Promise<Uint8Array>;
  list(): AsyncIterable<string>;
  /** Throws `missing` OBJECT_MISSING. */
  delete(key: string): Promise<void>;
}

/** Without what is easily mistaken for something else. */
const LETTERS = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789';
const ID_LETTERS = 16;
const SECRET_BYTES = 30;
const ID = /^PF[A-Z2-9]{16}$/;

const stored = z.strictObject({
  secret: z.string().min(40).max(40),
  name: z.string(),
  createdAtMs: z.int().nonnegative(),
  rules: z.array(z.string()).max(ACCESS_RULES_MAX),
});

export class AccessKeys {
  readonly #objects: KeyObjects;

  constructor(objects: KeyObjects) {
    this.#objects = objects;
  }

  /** The only time that its secret is told. Throws `invalid` KEY_NAME_INVALID. */
  async add(
    { name, rules }: Pick<AccessKey, 'name' | 'rules'>,
    { randomness, nowMs }: { readonly randomness: Randomness; readonly nowMs: number },
  ): Promise<AccessKey> {
    if (!/^[\p{L}\p{N}][\p{L}\p{N} ._@-]{0,62}$/u.test(name))
      throw invalid('KEY_NAME_INVALID', 'the name of an access key is 1 to 63 letters, digits, spaces and . _ @ -');
    const letters = Array.from({ length: ID_LETTERS }, () => LETTERS[randomness.below(LETTERS.length)]);
    const secret = Buffer.from(randomness.bytes(SECRET_BYTES)).toString('base64url');
    const key: AccessKey = { id: `PF${letters.join('')}`, secret, name, createdAtMs: Math.max(0, nowMs), rules };
    await this.#put(key, true);
    return key;
  }

  /** Undefined: there is none. */
  async find(id: string): Promise<AccessKey | undefined> {
    if (!ID.test(id)) return undefined;
    try {
      return parsed(id, await this.#objects.read(id, ACCESS_KEY_BYTES_MAX));
    } catch (error) {
      if (isKind(error, 'missing')) return undefined;
      throw error;
    }
  }

  async *list(): AsyncGenerator<AccessKey> {
    for await (const id of this.#objects.list()) {
      const key = await this.find(id);
      if (key !== undefined) yield key;
    }
  }

  /** Throws `missing` ACCESS_KEY_MISSING. */
  async setRules(id: string, rules: readonly Rule[]): Promise<AccessKey> {
    const key = await this.find(id);
    if (key === undefined) throw noSuchKey(id);
    const changed = { ...key, rules };
    await this.#put(changed, false);
    return changed;
  }

  /** Throws `missing` ACCESS_KEY_MISSING. */
  async remove(id: string): Promise<void> {
    try {
      if (!ID.test(id)) throw noSuchKey(id);
      await this.#objects.delete(id);
    } catch (error) {
      throw isKind(error, 'missing') ? noSuchKey(id) : error;
    }
  }

  #put({ id, secret, name, createdAtMs, rules }: AccessKey, isNew: boolean): Promise<void> {
    if (rules.length > ACCESS_RULES_MAX) throw invalid('RULE_INVALID', `a key has at most ${ACCESS_RULES_MAX} rules`);
    const text = JSON.stringify({ secret, name, createdAtMs, rules: rules.map(ruleText) });
    return this.#objects.put(id, Buffer.from(text), isNew);
  }
}

function parsed(id: string, body: Uint8Array): AccessKey {
  const { rules, ...rest } = stored.parse(JSON.parse(Buffer.from(body).toString()));
  return { id, ...rest, rules: rules.map(parseRule) };
}

const noSuchKey = (id: string): Error => missing('ACCESS_KEY_MISSING', `there is no access key "${id.slice(0, 40)}"`);
