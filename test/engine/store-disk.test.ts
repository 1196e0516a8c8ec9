// The reserve of a full disk: deletes leave half of it to what frees space, and nothing else gets any.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { StoreDisk } from '../../lib/engine/wire/store-disk.ts';
import { RESERVE_BYTES_MIN } from '../../lib/limits/engine.ts';
import { temporaryFolder } from '../cli/temporary-folder.ts';
import { SMALL } from './small-store.ts';

const folder = temporaryFolder();
const reserveBytes = (): number => statSync(join(folder, 'panda.reserve')).size;
let disk: StoreDisk;

beforeEach(() => {
  disk = new StoreDisk(folder);
  disk.describe(SMALL, []);
  disk.reserveRoom();
});

it('gives nothing to who does not free space, but a little to open the file', () => {
  expect(disk.makeRoom('write')).toBe(false);
  expect(reserveBytes()).toBe(RESERVE_BYTES_MIN);
  expect(disk.makeRoom('open')).toBe(true);
  expect(reserveBytes()).toBeGreaterThan(RESERVE_BYTES_MIN / 2);
});

it('gives half of it to deletes, once, and the rest to GC beside them', async () => {
  await disk.beforeFreeing('deletes');
  expect(disk.makeRoom('write')).toBe(true);
  expect(reserveBytes()).toBe(RESERVE_BYTES_MIN / 2);
  expect(disk.makeRoom('write')).toBe(false);
  await disk.beforeFreeing();
  expect(disk.makeRoom('write')).toBe(true);
  expect(reserveBytes()).toBe(0);
  expect(disk.makeRoom('write')).toBe(false);
  disk.afterFreeing();
  disk.afterFreeing('deletes');
  expect(reserveBytes()).toBe(RESERVE_BYTES_MIN);
});
