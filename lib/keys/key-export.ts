// The keys of a store outside of it: in a file under a passphrase, or as lines for paper. Both are whole key rings, and
// what was typed in wrongly is refused before anything is opened with it.
import { createCipheriv, createDecipheriv, scryptSync } from 'node:crypto';
import { crc32 } from 'node:zlib';
import * as z from 'zod';
import { denied, invalid } from '../foundation/errors.ts';
import { bytesOf, hexOf, type StoreId, storeId } from '../foundation/ids.ts';
import type { Randomness } from '../foundation/randomness.ts';
import { parseKeyFile, printKeyFile } from './key-file.ts';
import { type KeyRing, type KeyRingEntry, ringFault } from './key-ring.ts';

export interface ExportedKeys {
  readonly storeId: StoreId;
  readonly ring: KeyRing<Uint8Array>;
}

const FORMAT = 'pocketful-keys-export';
/** About a second, and 128 MiB: what somebody who guesses pays for each guess. */
const COST = 2 ** 17;
const SCRYPT = { r: 8, p: 1 } as const;
const isCost = (n: number): boolean => n >= 2 ** 14 && n <= 2 ** 20 && Number.isInteger(Math.log2(n));
const TAG_BYTES = 16;
const hexText = z.string().regex(/^(?:[0-9a-f]{2})+$/);
const schema = z.strictObject({
  format: z.literal(FORMAT),
  formatVersion: z.literal(1),
  storeId: z.string().regex(/^[0-9a-f]{32}$/),
  kdf: z.strictObject({
    name: z.literal('scrypt'),
    N: z.int().refine(isCost),
    r: z.literal(SCRYPT.r),
    p: z.literal(SCRYPT.p),
  }),
  salt: hexText,
  nonce: hexText,
  keys: hexText,
});
type Exported = z.infer<typeof schema>;

const secretOf = (passphrase: string, salt: Uint8Array, cost: number): Buffer =>
  scryptSync(passphrase.normalize('NFC'), salt, 32, { ...SCRYPT, N: cost, maxmem: 256 * SCRYPT.r * cost });

const boundTo = ({ keys: _, ...rest }: Exported): Buffer => Buffer.from(JSON.stringify(rest));

/** `cost`: N of scrypt. */
export function exportKeys(
  { storeId: store, ring }: ExportedKeys,
  passphrase: string,
  randomness: Randomness,
  cost = COST,
): string {
  const salt = randomness.bytes(16);
  const nonce = randomness.bytes(12);
  const head: Exported = {
    format: FORMAT,
    formatVersion: 1,
    storeId: store,
    kdf: { name: 'scrypt', N: cost, ...SCRYPT },
    ...{ salt: hexOf(salt), nonce: hexOf(nonce), keys: '' },
  };
  const cipher = createCipheriv('aes-256-gcm', secretOf(passphrase, salt, cost), nonce);
  cipher.setAAD(boundTo(head));
  const sealed = Buffer.concat([cipher.update(printKeyFile(store, ring)), cipher.final(), cipher.getAuthTag()]);
  return `${JSON.stringify({ ...head, keys: hexOf(sealed) }, null, 2)}\n`;
}

/** An export, or what `paperOf` printed. Throws `invalid` KEYS_UNREADABLE, `denied` PASSPHRASE_WRONG. */
export function importKeys(file: string, text: string, passphrase: () => string): ExportedKeys {
  if (text.trimStart().startsWith(PAPER)) return fromPaper(file, text);
  const parsed = schema.safeParse(jsonOf(text));
  if (!parsed.success) throw invalid('KEYS_UNREADABLE', `${file} is neither an export of keys nor a recovery sheet`);
  const { storeId: store, kdf, salt, nonce, keys } = parsed.data;
  const sealed = bytesOf(keys);
  const decipher = createDecipheriv('aes-256-gcm', secretOf(passphrase(), bytesOf(salt), kdf.N), bytesOf(nonce), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(boundTo(parsed.data));
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  try {
    const plain = Buffer.concat([decipher.update(sealed.subarray(0, -TAG_BYTES)), decipher.final()]).toString('utf8');
    return { storeId: storeId(store), ring: parseKeyFile(file, plain, storeId(store)) };
  } catch (cause) {
    throw denied('PASSPHRASE_WRONG', `the passphrase does not open ${file}, or it is damaged`, cause);
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const PAPER = 'POCKETFUL KEYS 1';
const LINE = /^(\d+) (\d+) ((?:[0-9a-f]{4} ?){16}|destroyed) ([0-9a-f]{8})$/;

const checkOf = (text: string): string => crc32(text.replaceAll(' ', '')).toString(16).padStart(8, '0');
const grouped = (hex: string): string => hex.replaceAll(/(.{4})(?=.)/g, '$1 ');

/** A line a version; each ends with a check of itself. */
function sheetLines({ storeId: store, ring }: ExportedKeys, spaced: (hex: string) => string): string[] {
  const lines = ring.map(({ version, createdAtMs, material }) => {
    const text = `${version} ${createdAtMs} ${material === undefined ? 'destroyed' : spaced(hexOf(material))}`;
    return `${text} ${checkOf(text)}`;
  });
  return [PAPER, `store ${spaced(store)} ${checkOf(store)}`, ...lines];
}

/** Anybody who has the sheet has the keys. */
export const paperOf = (keys: ExportedKeys): string => `${sheetLines(keys, grouped).join('\n')}\n`;

/** Lines of a sheet that one QR code holds: more would be too fine to be scanned from paper. */
const CODE_LINES = 5;

/**
 * The sheet as texts of QR codes, to be scanned one after the other: in the letters that a QR code holds best, and `/`
 * for the end of a line. What they say, one a line, is a sheet again.
 */
export function codeTextsOf(keys: ExportedKeys): string[] {
  const lines = sheetLines(keys, (hex) => hex);
  const texts: string[] = [];
  for (let at = 0; at < lines.length; at += CODE_LINES) texts.push(lines.slice(at, at + CODE_LINES).join('/'));
  return texts.map((text) => text.toUpperCase());
}

function fromPaper(file: string, text: string): ExportedKeys {
  const [, head = '', ...lines] = text
    .trim()
    .split(/\r?\n|\//)
    .map((line) => line.trim().replaceAll(/\s+/g, ' ').toLowerCase());
  const [, spaced = '', check = ''] = /^store ((?:[0-9a-f]{4} ?){8}) ([0-9a-f]{8})$/.exec(head) ?? [];
  const store = spaced.replaceAll(' ', '');
  if (store === '' || checkOf(store) !== check) throw mistyped(file, 'store');
  const ring = lines.map((line, i): KeyRingEntry<Uint8Array> => {
    const [, version = '', createdAt = '', key = '', sum = ''] = LINE.exec(line) ?? [];
    if (sum === '' || checkOf(`${version} ${createdAt} ${key}`) !== sum) throw mistyped(file, `of key ${i + 1}`);
    const isLast = i === lines.length - 1;
    const entry = { version: Number(version), createdAtMs: Number(createdAt) };
    if (key === 'destroyed') return { ...entry, state: 'destroyed' };
    return { ...entry, state: isLast ? 'current' : 'previous', material: bytesOf(key.replaceAll(' ', '')) };
  });
  const fault = ringFault(ring);
  if (fault !== undefined) throw invalid('KEYS_UNREADABLE', `${file} is no whole recovery sheet: ${fault}`);
  return { storeId: storeId(store), ring };
}

const mistyped = (file: string, which: string): Error =>
  invalid('KEYS_UNREADABLE', `${file}: the line ${which} was mistyped, or is missing: its check does not fit`);
