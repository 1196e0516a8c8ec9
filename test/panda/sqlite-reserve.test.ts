// The file that only keeps room.
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { SqliteReserve } from '../../lib/panda/sqlite/sqlite-reserve.ts';
import { temporaryFolder } from '../cli/temporary-folder.ts';

const MIB = 1024 * 1024;
const folder = temporaryFolder();

it('takes real blocks of the disk, gives them back, and takes them again', () => {
  const path = join(folder, 'reserve');
  const reserve = new SqliteReserve(path);
  expect(reserve.release()).toBe(false);
  expect(reserve.restore(3 * MIB)).toBe('whole');
  const { size, blocks, mode } = statSync(path);
  expect(size).toBe(3 * MIB);
  expect(blocks * 512).toBeGreaterThanOrEqual(3 * MIB);
  expect(mode & 0o777).toBe(0o600);
  expect(reserve.release(MIB)).toBe(true);
  expect(reserve.sizeBytes()).toBe(2 * MIB);
  expect(reserve.release()).toBe(true);
  expect(reserve.sizeBytes()).toBe(0);
  reserve.regrow(2 * MIB);
  expect(reserve.sizeBytes()).toBe(2 * MIB);
  expect(reserve.restore(2 * MIB)).toBe('whole');
});

it('is not made where as much would not stay free besides', () => {
  const path = join(folder, 'too-large');
  const reserve = new SqliteReserve(path);
  expect(reserve.restore(reserve.freeBytes())).toBe('no room');
  expect(reserve.sizeBytes()).toBe(0);
});

it('says apart that it cannot be written', () => {
  mkdirSync(join(folder, 'taken'));
  expect(new SqliteReserve(join(folder, 'taken')).restore(MIB)).toBe('failed');
  expect(new SqliteReserve(join(folder, 'nowhere', 'reserve')).restore(MIB)).toBe('failed');
});
