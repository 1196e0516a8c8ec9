// A drive that counts what goes through it.
import type { Drive } from '../../lib/drive/drive.ts';

export class CountedDrive {
  readBytes = 0;
  writtenBytes = 0;
  readonly drive: Drive;

  constructor(inner: Drive) {
    this.drive = {
      label: inner.label,
      append: async (at, name, parts, signal) => {
        await inner.append(at, name, parts, signal);
        this.writtenBytes += parts.reduce((sum, part) => sum + part.length, 0);
      },
      read: async (...args) => {
        const bytes = await inner.read(...args);
        this.readBytes += bytes.length;
        return bytes;
      },
      list: (...args) => inner.list(...args),
      zones: (...args) => inner.zones(...args),
      erase: (...args) => inner.erase(...args),
      probe: (...args) => inner.probe(...args),
    };
  }
}
