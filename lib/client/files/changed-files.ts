// Of files that were found, those that must be put: what is the file that it was last time, and in the store as it was
// then, is passed over.
import type { BigIntStats } from 'node:fs';
import { CONFIRMED_AT_ONCE } from '../../limits/engine.ts';
import type { ObjectInfo, PutRequest, Remembering } from '../face.ts';
import type { KnownFiles } from './known-files.ts';

export interface FileToPut {
  /** Of its tree. */
  readonly name: string;
  readonly path: string;
  readonly stats: BigIntStats;
  readonly request: PutRequest;
}

export async function* changedFiles(
  found: AsyncIterable<FileToPut>,
  known: KnownFiles,
  store: Remembering,
  onSame: (object: ObjectInfo) => void,
): AsyncGenerator<FileToPut> {
  let waiting: { readonly file: FileToPut; readonly version: string }[] = [];
  async function* confirmed(): AsyncGenerator<FileToPut> {
    const objects = await store.confirm(waiting.map(({ file, version }) => ({ key: file.request.key, version })));
    const asked = waiting;
    waiting = [];
    for (const [i, { file }] of asked.entries()) {
      const object = objects[i];
      if (object === undefined || object.metadata !== file.request.metadata) yield file;
      else {
        known.keep(file.name);
        onSame(object);
      }
    }
  }
  for await (const file of found) {
    const version = known.versionOf(file.name, file.stats);
    if (version === undefined) yield file;
    else if (waiting.push({ file, version }) >= CONFIRMED_AT_ONCE) yield* confirmed();
  }
  if (waiting.length > 0) yield* confirmed();
}
