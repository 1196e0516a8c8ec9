// The form of attributes as bytes, for SQLite; row-bytes.ts writes it, read-row-bytes.ts reads it. A row is
//
//   1 byte    2, the version of the form
//   n times   an attribute, by name in ascending order
//   4 bytes   CRC-32 of partition, a zero byte, sort key, a zero byte and all bytes before, little-endian
//
// and an attribute is a byte of tag (the upper 3 bits) and length of the name (the lower 5; 31: a varint follows, of
// what is beyond 31), the name in UTF-8, and its value:
//
//   0  text     varint bytes, UTF-8              4  list   varint items, each a tag byte and a value of 0, 1, 2 or 6
//   1  number   varint                           5  set    varint members, each varint bytes and UTF-8, ascending
//   2  negative varint of what is missing to 0   6  hexadecimal text of even length from 8: varint bytes, the bytes
//   3  bytes    varint bytes, the bytes
//
// A varint is LEB128 below 2^53. Equal rows have equal bytes. The form before was JSON text (row-encoding.ts), which
// backups still have.
import { crc32 } from 'node:zlib';
import type { Key } from '../panda.ts';

/** The first byte. */
export const VERSION = 2;
export const TEXT = 0;
export const NUMBER = 1;
export const NEGATIVE = 2;
export const BYTES = 3;
export const LIST = 4;
export const SET = 5;
export const HEX = 6;
export const TAG_SHIFT = 5;
/** Length of a name from which on a varint follows; the bits that hold it. */
export const NAME_LONG = 31;
/** Below it a loop of our own is faster than a call into the engine. */
export const SHORT_TEXT = 24;

export const checksum = ({ partition, sort }: Key, bytes: Uint8Array): number =>
  crc32(bytes, crc32(`${sort}\0`, partitionChecksum(partition)));

/** Of the partition that was asked about last: rows come page by page. */
let lastPartition = { partition: '', crc: crc32('\0') };

function partitionChecksum(partition: string): number {
  if (lastPartition.partition !== partition) lastPartition = { partition, crc: crc32(`${partition}\0`) };
  return lastPartition.crc;
}
