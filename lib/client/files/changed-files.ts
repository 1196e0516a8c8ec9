// Of files that were found, those that must be put: what is the file that it was last time, and in the store as it was
// then, is passed over.
import { CONFIRMED_AT_ONCE } from '../../limits/engine.ts';
import type { ObjectInfo, PutRequest, Remembering } from '../face.ts';
import type { KnownFiles } from './known-files.ts';
import type { FoundStats } from './same-file.ts';

export interface FileToPut {
  /** Of its tree. */
  readonly name: string;
  readonly path: string;
  readonly stats: FoundStats;
  /** When it was looked at, or a moment later. */
  readonly foundAtMs: number;
  readonly request: PutRequest;
}

/** As they are found, some at a time; those whose object was not as it was come later. */
export async function* changedFiles(
  found: AsyncIterable<readonly FileToPut[]>,
  known: KnownFiles,
  store: Remembering,
  onSame: (object: ObjectInfo) => void,
): AsyncGenerator<readonly FileToPut[]> {
  let waiting: { readonly file: FileToPut; readonly version: string }[] = [];
  async function confirmed(): Promise<FileToPut[]> {
    const objects = await store.confirm(waiting.map(({ file, version }) => ({ key: file.request.key, version })));
    const asked = waiting;
    waiting = [];
    return asked.flatMap(({ file }, i) => {
      const object = objects[i];
      if (object === undefined || object.metadata !== file.request.metadata) return [file];
      known.keep(file.name);
      onSame(object);
      return [];
    });
  }
  for await (const files of found) {
    const changed: FileToPut[] = [];
    for (const file of files) {
      const version = known.versionOf(file.name, file.stats);
      if (version === undefined) changed.push(file);
      else if (waiting.push({ file, version }) >= CONFIRMED_AT_ONCE) changed.push(...(await confirmed()));
    }
    if (changed.length > 0) yield changed;
  }
  if (waiting.length > 0) yield await confirmed();
}
