// Whether a request was signed with the secret of the key it claims. The answer says no more than that, and takes as
// long for a key that is not there.
import type { KeyObject } from 'node:crypto';
import { LruCache } from '../../foundation/lru.ts';
import { SIGNING_KEYS_KEPT } from '../../limits/gateway.ts';
import { S3Fault } from '../fault.ts';
import { canonicalRequests, type RawRequest } from './canonical.ts';
import { type Claim, claimOf } from './claim.ts';
import { ChunkSigner, isSameSignature, type Scope, scopeText, signatureOf, signingKey } from './signature.ts';

/** Who sent a request. */
export interface Sender<Key> {
  readonly key: Key;
  readonly claim: Claim;
  /** Verifies the chunks of its body; a sender without a key sends none. */
  readonly chunks: ChunkSigner | undefined;
}

export interface SecretKey {
  readonly secret: string;
}

/** As long as a real one: what it signs is never right, as it is compared with a signature that differs. */
const NOBODY = 'x'.repeat(40);

/** A key signs by the same derived key for a day, and deriving it is four of the six HMACs of a request. */
const derived = new LruCache<string, KeyObject>(SIGNING_KEYS_KEPT);

function derivedKey(secret: string, scope: Scope): KeyObject {
  const name = `${secret}/${scopeText(scope)}`;
  let key = derived.get(name);
  if (key === undefined) {
    key = signingKey(secret, scope);
    derived.set(name, key);
  }
  return key;
}

/** Undefined: it claims nobody. `hosts`: what a client may have called this server, beside its Host header. */
export async function senderOf<Key extends SecretKey>(
  request: RawRequest,
  find: (accessKeyId: string) => Promise<Key | undefined>,
  { nowMs, hosts = [] }: { readonly nowMs: number; readonly hosts?: readonly string[] },
): Promise<Sender<Key> | undefined> {
  const claim = claimOf(request, nowMs);
  if (claim === undefined) return undefined;
  const key = await find(claim.accessKeyId);
  const signing = derivedKey(key?.secret ?? NOBODY, claim.scope);
  let isSigned = false;
  for (const host of [undefined, ...hosts])
    for (const canonical of canonicalRequests(request, { ...claim, withoutQuery: 'X-Amz-Signature', host })) {
      const isOne = isSameSignature(signatureOf(signing, claim.timestamp, claim.scope, canonical), claim.signature);
      isSigned ||= isOne;
    }
  if (key === undefined)
    throw new S3Fault('InvalidAccessKeyId', 'the access key id you provided does not exist in our records');
  if (!isSigned)
    throw new S3Fault(
      'SignatureDoesNotMatch',
      'the request signature we calculated does not match the signature you provided: check your key and signing method',
    );
  return { key, claim, chunks: new ChunkSigner(signing, claim.timestamp, claim.scope, claim.signature) };
}
