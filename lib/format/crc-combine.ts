// Checksums of joined bytes from the checksums of their parts (the method of zlib's crc32_combine): a column's from
// those of its records, so that its bytes are not read again, and a bit that flips while records are copied is found
// rather than sealed in.

/** The CRC-32 polynomial, reflected as the checksums are: bit 31 is x^0. */
const POLYNOMIAL = 0xedb8_8320;
const ONE = 0x8000_0000;

/** The product of two polynomials over GF(2), modulo the CRC's. */
function times(a: number, b: number): number {
  let product = 0;
  let rest = b;
  for (let bit = ONE; bit !== 0; bit >>>= 1) {
    if ((a & bit) !== 0) product ^= rest;
    rest = (rest & 1) === 0 ? rest >>> 1 : (rest >>> 1) ^ POLYNOMIAL;
  }
  return product >>> 0;
}

/** x^(8 * 2^n) for n = 0 .. 31. */
const POWERS = powers();

function powers(): Uint32Array {
  const table = new Uint32Array(32);
  let power = 0x0080_0000; // x^8
  for (let n = 0; n < table.length; n++) {
    table[n] = power;
    power = times(power, power);
  }
  return table;
}

/** What a checksum contributes when `bytes` further bytes follow. */
function shifted(crc: number, bytes: number): number {
  let power = ONE;
  for (let n = 0, rest = bytes; rest > 0; n++, rest = Math.floor(rest / 2))
    if (rest % 2 === 1) power = times(POWERS[n] as number, power);
  return times(power, crc);
}

/** CRC-32 of A and B one after the other, from theirs and the length of B. */
export const crcOfJoined = (crcA: number, crcB: number, bytesB: number): number => (shifted(crcA, bytesB) ^ crcB) >>> 0;
