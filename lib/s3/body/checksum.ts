// The checksums of S3: their names, how they are computed as a body passes, and what they are of an upload in parts.
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { createCRC32, createCRC64 } from 'hash-wasm';
import { S3Fault } from '../fault.ts';

export const ALGORITHMS = ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const;
export type Algorithm = (typeof ALGORITHMS)[number];
/** Of an upload in parts: over all of its bytes, or over the checksums of its parts. */
export type ChecksumType = 'COMPOSITE' | 'FULL_OBJECT';

const BYTES: Readonly<Record<Algorithm, number>> = { CRC32: 4, CRC32C: 4, CRC64NVME: 8, SHA1: 20, SHA256: 32 };
/** Reflected, as their checksums are. */
const CASTAGNOLI = 0x82f6_3b78;
const NVME = '9a6c9329ac4bc9b5';

export interface Hasher {
  update(bytes: Uint8Array): void;
  /** Once, at the end. */
  digest(): Uint8Array;
}

export const headerOf = (algorithm: Algorithm): string => `x-amz-checksum-${algorithm.toLowerCase()}`;

/** Throws InvalidRequest for a name that is none. */
export function algorithmOf(name: string): Algorithm {
  const found = ALGORITHMS.find((one) => one === name.toUpperCase());
  if (found === undefined)
    throw new S3Fault('InvalidRequest', `the checksum algorithm ${name.slice(0, 20)} is unknown`);
  return found;
}

/** Of the name of a header or trailer; undefined if it is none of a checksum. */
export const algorithmOfHeader = (name: string): Algorithm | undefined =>
  ALGORITHMS.find((one) => headerOf(one) === name);

/** Throws InvalidRequest unless it is base64 of as many bytes as the algorithm has. */
export function checkedValue(algorithm: Algorithm, value: string): string {
  const bytes = Buffer.from(value, 'base64');
  if (bytes.length !== BYTES[algorithm] || bytes.toString('base64') !== value)
    throw new S3Fault('InvalidRequest', `value for ${headerOf(algorithm)} header is invalid`);
  return value;
}

export async function hasherOf(algorithm: Algorithm): Promise<Hasher> {
  if (algorithm === 'SHA1' || algorithm === 'SHA256') return createHash(algorithm);
  if (algorithm === 'CRC32') return new Crc32();
  const wasm = await (algorithm === 'CRC32C' ? createCRC32(CASTAGNOLI) : createCRC64(NVME));
  wasm.init();
  return { update: (bytes) => void wasm.update(bytes), digest: () => wasm.digest('binary') };
}

class Crc32 implements Hasher {
  #crc = 0;

  update(bytes: Uint8Array): void {
    this.#crc = crc32(bytes, this.#crc);
  }

  digest(): Uint8Array {
    const out = Buffer.alloc(4);
    out.writeUInt32BE(this.#crc);
    return out;
  }
}

/** What the parts of an upload may be given together, and what is taken if nothing is said. */
export function checkedType(algorithm: Algorithm, type: string | undefined): ChecksumType {
  const isSha = algorithm === 'SHA1' || algorithm === 'SHA256';
  if (type === undefined) return algorithm === 'CRC64NVME' ? 'FULL_OBJECT' : 'COMPOSITE';
  if (type === 'COMPOSITE' && algorithm !== 'CRC64NVME') return type;
  if (type === 'FULL_OBJECT' && !isSha) return type;
  throw new S3Fault('InvalidRequest', `the checksum type ${type.slice(0, 20)} cannot be used with ${algorithm}`);
}

export interface PartSum {
  readonly value: string;
  readonly bytes: number;
}

/** Of an upload, from those of its parts in order. */
export async function sumOfParts(algorithm: Algorithm, type: ChecksumType, parts: readonly PartSum[]): Promise<string> {
  if (type === 'COMPOSITE') {
    const hasher = await hasherOf(algorithm);
    for (const { value } of parts) hasher.update(Buffer.from(value, 'base64'));
    return `${Buffer.from(hasher.digest()).toString('base64')}-${parts.length}`;
  }
  const width = BYTES[algorithm] * 8;
  const polynomial =
    algorithm === 'CRC32' ? 0xedb8_8320n : algorithm === 'CRC32C' ? BigInt(CASTAGNOLI) : BigInt(`0x${NVME}`);
  let sum: bigint | undefined;
  for (const { value, bytes } of parts) {
    const crc = BigInt(`0x${Buffer.from(value, 'base64').toString('hex')}`);
    sum = sum === undefined ? crc : shifted(sum, bytes, polynomial, width) ^ crc;
  }
  const hex = (sum ?? 0n).toString(16).padStart(width / 4, '0');
  return Buffer.from(hex, 'hex').toString('base64');
}

/** The product of two polynomials over GF(2), modulo the CRC's, reflected. */
function times(a: bigint, b: bigint, polynomial: bigint, width: number): bigint {
  let product = 0n;
  let rest = b;
  for (let bit = 1n << BigInt(width - 1); bit !== 0n; bit >>= 1n) {
    if ((a & bit) !== 0n) product ^= rest;
    rest = (rest & 1n) === 0n ? rest >> 1n : (rest >> 1n) ^ polynomial;
  }
  return product;
}

/** What a CRC contributes when so many bytes follow (the method of zlib's crc32_combine). */
function shifted(crc: bigint, bytes: number, polynomial: bigint, width: number): bigint {
  let power = 1n << BigInt(width - 9); // x^8
  let out = crc;
  for (let rest = BigInt(bytes); rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) out = times(power, out, polynomial, width);
    power = times(power, power, polynomial, width);
  }
  return out;
}
