// On how many disks the drives of a store lie, as far as the file system says: directories on one disk survive no disk.
import { stat } from 'node:fs/promises';

export interface DevicesFacts {
  /** Directories that are there. */
  readonly drives: number;
  readonly devices: number;
}

export async function devicesOf(roots: readonly string[]): Promise<DevicesFacts> {
  const found = await Promise.all(
    roots.map((root) =>
      stat(root).then(
        ({ dev }) => dev,
        () => undefined,
      ),
    ),
  );
  const there = found.filter((dev) => dev !== undefined);
  return { drives: there.length, devices: new Set(there).size };
}
