// LIST: objects of a namespace in the order of their keys' UTF-8 bytes, by prefix and delimiter, in pages.
import { invalid } from '../foundation/errors.ts';
import type { ObjectVersion } from '../foundation/ids.ts';
import { LIST_BYTES_MAX, LIST_ENTRY_BYTES, LIST_LIMIT_MAX } from '../limits/frontend.ts';
import type { Page, Panda } from '../panda/panda.ts';
import { type ObjectRow, objectFromRow, objectPartition } from '../panda/rows/object-row.ts';
import { readOrTell } from '../panda/rows/row-reader.ts';
import { voidFromRow, voidPartition } from '../panda/rows/void-row.ts';
import { afterPrefix, checkNamespace } from './object-keys.ts';

export interface ListRequest {
  readonly namespace: string;
  readonly prefix?: string;
  /** Keys that have it after the prefix are rolled up into one common prefix each. */
  readonly delimiter?: string;
  /** Where the page before ended: its `next`. */
  readonly from?: string;
  readonly limit?: number;
}

export interface ListPage {
  readonly objects: readonly ObjectRow[];
  /** Names whose row cannot be read, and why. They count for `limit`. Of long names a page has fewer than `limit`. */
  readonly damaged: readonly DamagedName[];
  readonly commonPrefixes: readonly string[];
  readonly next: string | undefined;
}

export interface DamagedName {
  readonly key: string;
  readonly error: Error;
}

/** Rows that are asked for at first behind a common prefix. */
const ROLLED_UP_AHEAD = 8;

/**
 * Which rows of a page are there for nobody: what was put plain, and has its version among those that are void. These
 * are read after the page, and only if it has an object that was put so.
 */
function voidsOf(panda: Panda, namespace: string, page: Page): (object: ObjectRow) => Promise<boolean> {
  let known: Promise<Map<string, readonly ObjectVersion[]>> | undefined;
  const read = async (from: string): Promise<Map<string, readonly ObjectVersion[]>> => {
    const versions = new Map<string, readonly ObjectVersion[]>();
    const to = page.rows.at(-1)?.sort ?? from;
    for (let at: string | undefined = from; at !== undefined; ) {
      const { rows, next }: Page = await panda.query(voidPartition(namespace), { from: at, to });
      for (const row of rows) {
        const found = readOrTell(row, voidFromRow, () => {});
        if (found !== undefined) versions.set(row.sort, found.versions);
      }
      at = next;
    }
    return versions;
  };
  return async ({ key, version, isNamed }) => {
    if (isNamed !== true) return false;
    known ??= read(key);
    return (await known).get(key)?.includes(version) === true;
  };
}

/** As text in JSON that is text in JSON, as a function answers: every quote and backslash doubles twice. */
const entryBytes = (key: string, object: ObjectRow | undefined): number =>
  LIST_ENTRY_BYTES + Buffer.byteLength(JSON.stringify(JSON.stringify([key, object?.metadata])));

export async function listObjects(panda: Panda, request: ListRequest): Promise<ListPage> {
  const namespace = checkNamespace(request.namespace);
  const { prefix = '', delimiter = '', limit = LIST_LIMIT_MAX } = request;
  if (!Number.isInteger(limit) || limit < 1 || limit > LIST_LIMIT_MAX)
    throw invalid('LIMIT_INVALID', `a page has 1 to ${LIST_LIMIT_MAX} entries`);
  if (!prefix.isWellFormed() || !delimiter.isWellFormed() || !(request.from ?? '').isWellFormed())
    throw invalid('NAME_INVALID', 'prefix, delimiter and start must be valid Unicode');
  const objects: ObjectRow[] = [];
  const damaged: DamagedName[] = [];
  const commonPrefixes: string[] = [];
  let at: string | undefined = request.from ?? prefix;
  // Rows behind one that is rolled up are read for nothing: a few at first where that may be.
  let bytes = 0;
  let ahead = delimiter === '' ? limit : ROLLED_UP_AHEAD;
  while (at !== undefined && objects.length + damaged.length + commonPrefixes.length < limit) {
    const wanted = Math.min(ahead, limit - objects.length - damaged.length - commonPrefixes.length);
    ahead = Math.min(limit, 2 * ahead);
    const range = at === '' ? {} : { from: at };
    const page = await panda.query(objectPartition(namespace), range, { limit: wanted });
    at = page.next;
    const isVoid = voidsOf(panda, namespace, page);
    for (const row of page.rows) {
      if (!row.sort.startsWith(prefix)) return { objects, damaged, commonPrefixes, next: undefined };
      let error: Error | undefined;
      const object = readOrTell(row, objectFromRow, (bad) => {
        error = bad.error;
      });
      if (object !== undefined && (await isVoid(object))) continue;
      // What does not fit begins the next page.
      const isFirst = bytes === 0;
      bytes += entryBytes(row.sort, object);
      if (!isFirst && bytes > LIST_BYTES_MAX) return { objects, damaged, commonPrefixes, next: row.sort };
      const cut = delimiter === '' ? -1 : row.sort.indexOf(delimiter, prefix.length);
      if (cut < 0) {
        if (object !== undefined) objects.push(object);
        else if (error !== undefined) damaged.push({ key: row.sort, error });
        continue;
      }
      const common = row.sort.slice(0, cut + delimiter.length);
      commonPrefixes.push(common);
      ahead = ROLLED_UP_AHEAD;
      at = afterPrefix(common);
      break; // skip all that is rolled up
    }
  }
  return { objects, damaged, commonPrefixes, next: at };
}
