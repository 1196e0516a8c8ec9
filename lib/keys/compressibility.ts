// Whether zstd is likely to gain anything on a block, from a few slices of it and in a few microseconds: a trial
// compression costs ten times that, and most bytes people store (photographs, films, archives) are compressed already.

const KIB = 1024;
const LARGE_FROM_BYTES = 256 * KIB;
/**
 * How much likelier than in random bytes two bytes are the same, beyond which an entropy coder gains: 0.25 is about 2 %
 * (near uniform, the entropy falls short of 8 bits by excess/(2 ln 2)). In 2 KiB of random bytes it is 0.00 +- 0.01.
 */
const EXCESS_MIN = 0.25;
/** One position in so many where four bytes repeat is enough to try. Random bytes have none. */
const REPEAT_EVERY = 64;
const TABLE_BITS = 12;

const counts = new Int32Array(256);
/** By hash: the last four bytes there were, and in which slice. */
const fourSeen = new Int32Array(1 << TABLE_BITS);
const seenIn = new Int32Array(1 << TABLE_BITS);
/** Of all there were: nothing has to be forgotten before the next one. */
let slice = 0;

/** False where all samples look random: no byte values that prevail, and nothing repeated within a slice. */
export function looksCompressible(block: Uint8Array): boolean {
  const bytes = block.byteLength;
  const slices = bytes < LARGE_FROM_BYTES ? 4 : 8;
  const sliceBytes = bytes < LARGE_FROM_BYTES ? KIB / 2 : KIB;
  counts.fill(0);
  if (bytes <= slices * sliceBytes) return isUneven(bytes, repeats(block, 0, bytes));
  const step = (bytes - sliceBytes) / (slices - 1);
  let repeated = 0;
  for (let i = 0; i < slices; i++) {
    const from = Math.floor(i * step);
    repeated += repeats(block, from, from + sliceBytes);
  }
  return isUneven(slices * sliceBytes, repeated);
}

/**
 * Counts the byte values of a slice, and answers at how many positions four bytes are those of an earlier one in it.
 */
function repeats(block: Uint8Array, from: number, to: number): number {
  slice = (slice + 1) | 0;
  // Taken once: asked for anew at each byte they take three times as long as all the rest.
  const here = slice;
  const count = counts;
  const seen = fourSeen;
  const inSlice = seenIn;
  const firstFour = Math.min(from + 3, to);
  let repeated = 0;
  let four = 0;
  for (let i = from; i < firstFour; i++) {
    const byte = block[i] as number;
    count[byte]!++;
    four = (four << 8) | byte;
  }
  for (let i = firstFour; i < to; i++) {
    const byte = block[i] as number;
    count[byte]!++;
    four = (four << 8) | byte;
    const at = Math.imul(four, 0x9e3779b1) >>> (32 - TABLE_BITS);
    if (seen[at] === four && inSlice[at] === here) repeated++;
    seen[at] = four;
    inSlice[at] = here;
  }
  return repeated;
}

function isUneven(bytes: number, repeated: number): boolean {
  if (repeated * REPEAT_EVERY > bytes) return true;
  let pairs = 0;
  for (let byte = 0; byte < 256; byte++) {
    const count = counts[byte] as number;
    pairs += count * (count - 1);
  }
  return (pairs * 256) / (bytes * (bytes - 1)) - 1 > EXCESS_MIN;
}
