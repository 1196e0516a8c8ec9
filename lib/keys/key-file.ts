// The key file: its JSON, its checks, and how it is read and replaced. It names its store and carries a check value per
// key, so that a foreign or damaged file is recognised before anything is decrypted with it. A replacement is whole and
// durable or did not happen; a key that is gone from it is overwritten on the medium where that allows it.
import { createHmac, timingSafeEqual } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import * as z from 'zod/mini';
import { denied, type PocketfulError, retryLater } from '../foundation/errors.ts';
import { bytesOf, hexOf, type StoreId } from '../foundation/ids.ts';
import { KEY_FILE_BYTES_MAX, KEY_FILE_READS_MAX } from '../limits/bytes.ts';
import { type KeyRing, type KeyRingEntry, ringFault } from './key-ring.ts';

const FORMAT = 'pocketful-keys';
const FORMAT_VERSION = 1;
const MODE = 0o600;
const HEAD = new RegExp(`^\\s*\\{\\s*"format"\\s*:\\s*"${FORMAT}"`);
const HEAD_BYTES = 128;

const entrySchema = z.strictObject({
  version: z.int().check(z.positive()),
  createdAtMs: z.int().check(z.nonnegative()),
  state: z.enum(['current', 'previous', 'destroyed']),
  key: z.optional(z.string().check(z.regex(/^[0-9a-f]{64}$/))),
  check: z.optional(z.string().check(z.regex(/^[0-9a-f]{32}$/))),
});
const fileSchema = z.strictObject({
  format: z.literal(FORMAT),
  formatVersion: z.literal(FORMAT_VERSION),
  storeId: z.string(),
  keys: z.array(entrySchema),
});
const kindSchema = z.looseObject({ format: z.literal(FORMAT), formatVersion: z.int() });

/** Throws `denied` KEK_MISSING, KEK_WRONG or KEK_DENIED, each saying what to do. */
export function readKeyFile(file: string, storeId: StoreId): KeyRing<Uint8Array> {
  return parseKeyFile(file, readPrivately(file), storeId);
}

/** True if a file that begins with these bytes is a key file, of whichever store and version. */
export const isKeyFile = (head: Uint8Array): boolean =>
  HEAD.test(Buffer.from(head.subarray(0, HEAD_BYTES)).toString('latin1'));

/** To be called under the lock. `ring` replaces whatever the file held. */
export function replaceKeyFile(file: string, storeId: StoreId, ring: KeyRing<Uint8Array>): void {
  const target = fs.existsSync(file) ? fs.realpathSync(file) : file; // a link to it stays a link
  const next = `${target}.new`;
  try {
    wipe(next); // of a process that died here: it may hold keys that were destroyed since
    writeDurably(next, printKeyFile(storeId, ring));
    const old = fs.existsSync(target) ? fs.openSync(target, 'r+') : undefined;
    try {
      fs.renameSync(next, target);
      syncFolder(path.dirname(target));
      if (old !== undefined) overwriteUnlinked(old);
    } finally {
      if (old !== undefined) fs.closeSync(old);
    }
  } catch (cause) {
    throw unwritable(file, cause);
  }
}

export function printKeyFile(storeId: StoreId, ring: KeyRing<Uint8Array>): string {
  const keys = ring.map(({ version, createdAtMs, state, material }) => ({
    version,
    createdAtMs,
    state,
    ...(material === undefined ? {} : { key: hexOf(material), check: checkValue(storeId, version, material) }),
  }));
  return `${JSON.stringify({ format: FORMAT, formatVersion: FORMAT_VERSION, storeId, keys }, null, 2)}\n`;
}

export function parseKeyFile(file: string, text: string, storeId: StoreId): KeyRing<Uint8Array> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw wrong(file, 'it is no JSON'); // without the parser's message, which quotes the text
  }
  const kind = kindSchema.safeParse(json);
  if (kind.success && kind.data.formatVersion !== FORMAT_VERSION)
    throw wrong(file, `it has format version ${kind.data.formatVersion}, and this release knows ${FORMAT_VERSION}`);
  const parsed = fileSchema.safeParse(json);
  if (!parsed.success)
    throw wrong(file, `it is no key file, or damaged (at ${parsed.error.issues[0]?.path.join('.') || 'its root'})`);
  if (parsed.data.storeId !== storeId)
    throw wrong(file, `it is the key file of another store (${shortened(parsed.data.storeId)})`);
  const ring = parsed.data.keys.map(({ version, createdAtMs, state, key }): KeyRingEntry<Uint8Array> => {
    const entry = { version, createdAtMs, state };
    return key === undefined ? entry : { ...entry, material: bytesOf(key) };
  });
  const fault = ringFault(ring);
  if (fault !== undefined) throw wrong(file, fault);
  for (const [i, { check = '' }] of parsed.data.keys.entries()) {
    const { version, material } = ring[i] as KeyRingEntry<Uint8Array>;
    if (material !== undefined && !sameText(check, checkValue(storeId, version, material)))
      throw wrong(file, `key version ${version} is damaged: it does not match its check value`);
  }
  return ring;
}

/** A file that was replaced since it was opened is wiped: what was read of it may be zeros. */
function readPrivately(file: string): string {
  for (let attempt = 0; attempt < KEY_FILE_READS_MAX; attempt++) {
    const text = readOnce(file);
    if (text !== undefined) return text;
  }
  throw retryLater('KEK_BUSY', `key file ${file} is being replaced again and again`);
}

/** Undefined if somebody replaced it meanwhile. */
function readOnce(file: string): string | undefined {
  let descriptor: number;
  try {
    descriptor = fs.openSync(file, 'r');
  } catch (error) {
    throw unreadable(file, error);
  }
  try {
    const { mode, size } = fs.fstatSync(descriptor);
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      const shown = (mode & 0o777).toString(8).padStart(4, '0');
      throw denied('KEK_DENIED', `key file ${file} is open to other users (mode ${shown}): run chmod 600 ${file}`);
    }
    if (size > KEY_FILE_BYTES_MAX) throw wrong(file, 'it is too large');
    const text = fs.readFileSync(descriptor, 'utf8');
    // Wiped after it lost its name: as long as it has one, what was read is what was written.
    return fs.fstatSync(descriptor).nlink === 0 ? undefined : text;
  } catch (error) {
    throw unreadable(file, error);
  } finally {
    fs.closeSync(descriptor);
  }
}

function writeDurably(file: string, text: string): void {
  const descriptor = fs.openSync(file, 'wx', MODE);
  try {
    fs.writeFileSync(descriptor, text);
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}

function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const descriptor = fs.openSync(folder, 'r');
  try {
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}

function wipe(file: string): void {
  if (!fs.existsSync(file)) return;
  const descriptor = fs.openSync(file, 'r+');
  try {
    fs.unlinkSync(file);
    overwriteUnlinked(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}

/** Zeros over a file that has no name any more; a hard link that somebody made of it is his copy, and stays. */
function overwriteUnlinked(descriptor: number): void {
  const { nlink, size } = fs.fstatSync(descriptor);
  if (nlink > 0) return;
  fs.writeSync(descriptor, Buffer.alloc(size), 0, size, 0);
  fs.fsyncSync(descriptor);
}

function checkValue(storeId: StoreId, version: number, key: Uint8Array): string {
  return createHmac('sha256', key).update(`${FORMAT} ${storeId} ${version}`).digest('hex').slice(0, 32);
}

const sameText = (a: string, b: string): boolean =>
  a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
const shortened = (text: string): string => (/^[0-9a-f]{32}$/.test(text) ? `${text.slice(0, 8)}…` : 'an unknown one');

const wrong = (file: string, why: string): PocketfulError =>
  denied('KEK_WRONG', `key file ${file} does not fit: ${why}`);

function unreadable(file: string, error: unknown): unknown {
  const code = errnoOf(error);
  if (code === 'ENOENT')
    return denied(
      'KEK_MISSING',
      `key file ${file} is not there: put your copy of it back, nothing can be read without it`,
      error,
    );
  if (code === 'EACCES' || code === 'EPERM')
    return denied('KEK_DENIED', `key file ${file} cannot be read by this user`, error);
  if (code !== undefined) return retryLater('KEK_BUSY', `key file ${file} cannot be read (${code})`, error);
  return error;
}

function unwritable(file: string, error: unknown): unknown {
  const code = errnoOf(error);
  if (code === undefined) return error;
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return denied('KEK_DENIED', `key file ${file} cannot be replaced by this user (${code})`, error);
  return retryLater('KEK_BUSY', `key file ${file} cannot be replaced (${code})`, error);
}

const errnoOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && 'syscall' in error ? String(error.code) : undefined;
