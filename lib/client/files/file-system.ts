// The calls of `get` that file systems differ in, and those whose order is what a power cut leaves. Tests replace them.
import type { FileHandle } from 'node:fs/promises';
import type { LinkFile } from '../../drive/file-naming.ts';
import { linkFile, syncFolder } from '../../drive/files.ts';

export interface FileSystem {
  readonly link: LinkFile;
  syncFile(file: FileHandle): Promise<void>;
  syncFolder(path: string): Promise<void>;
}
export const fileSystem: FileSystem = { link: linkFile, syncFile: (file) => file.sync(), syncFolder };
