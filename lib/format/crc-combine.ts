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

const DIGIT = 0x100;
/** x^(8 * digit * 256^n) for each digit of a length of 32 bits, made when first asked for: a few products a record. */
const POWERS: (Uint32Array | undefined)[] = [];

function powersAt(place: number): Uint32Array {
  const known = POWERS[place];
  if (known !== undefined) return known;
  const below = place === 0 ? undefined : powersAt(place - 1);
  // x^8, or one more than the highest digit of the place below.
  const first = below === undefined ? 0x0080_0000 : times(below[DIGIT - 1] as number, below[1] as number);
  const table = new Uint32Array(DIGIT);
  table[0] = ONE;
  for (let digit = 1; digit < DIGIT; digit++) table[digit] = times(table[digit - 1] as number, first);
  POWERS[place] = table;
  return table;
}

/** What a checksum contributes when `bytes` further bytes follow. */
function shifted(crc: number, bytes: number): number {
  let shift = crc;
  for (let place = 0, rest = bytes; rest > 0; place++, rest = Math.floor(rest / DIGIT)) {
    const digit = rest % DIGIT;
    if (digit !== 0) shift = times(powersAt(place)[digit] as number, shift);
  }
  return shift;
}

/** CRC-32 of A and B one after the other, from theirs and the length of B. */
export const crcOfJoined = (crcA: number, crcB: number, bytesB: number): number => (shifted(crcA, bytesB) ^ crcB) >>> 0;
