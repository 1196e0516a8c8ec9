// What a tree of files was when it was last put, so that a file that is still the same need not be read: its size, its
// times and its inode, and the version of the object it became. One text file for each tree. It may be lost: then the
// files are read. Whether a store has that version, and can read it, the store says.
import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { STAMP_TRUSTED_MS } from '../../limits/engine.ts';
import type { FileMark, FoundStats } from './same-file.ts';

const FORMAT = 1;
const LINES_TOGETHER = 256;

/** One tree, put under names of its own from one machine. */
export interface TreeOfFiles {
  readonly host: string;
  readonly root: string;
  readonly namespace: string;
  /** What stands before the names of its files in those of objects. */
  readonly folder: string;
}

export class KnownFiles {
  readonly #directory: string;
  readonly #head: string;
  readonly #before: ReadonlyMap<string, string>;
  readonly #now = new Lines();
  #isChanged = false;

  private constructor(directory: string, head: string, before: ReadonlyMap<string, string>) {
    this.#directory = directory;
    this.#head = head;
    this.#before = before;
  }

  /** What cannot be read, or is of another tree, counts as lost; so does all of it if it is not `trusted`. */
  static async open(directory: string, tree: TreeOfFiles, trusted = true): Promise<KnownFiles> {
    const head = JSON.stringify({ format: FORMAT, ...tree });
    if (!trusted) return new KnownFiles(directory, head, new Map());
    const text = await readFile(join(directory, nameOf(head)), 'utf8').catch(() => '');
    return new KnownFiles(directory, head, entriesIn(text, head));
  }

  /** The version that a file became which has not changed since; undefined: it must be read. */
  versionOf(name: string, found: FileMark): string | undefined {
    const entry = this.#before.get(name);
    const mark = markOf(found);
    if (entry === undefined || !entry.startsWith(mark)) return undefined;
    return entry.slice(mark.length);
  }

  /** The store has confirmed it. */
  keep(name: string): void {
    const entry = this.#before.get(name);
    if (entry !== undefined) this.#now.add(`${entry} ${name}`);
  }

  /**
   * A file that was found so, and then read, became this version. One that had just been written is not believed: what
   * is written next may bear the same times.
   */
  note(name: string, found: FoundStats, version: string, foundAtMs: number): void {
    if (name.includes('\n') || foundAtMs - Number(found.ctimeMs) < STAMP_TRUSTED_MS) return;
    this.#now.add(`${markOf(found)}${version} ${name}`);
    this.#isChanged = true;
  }

  /** `isWhole`: all of the tree was seen, so what was not is gone. Nothing is said if it cannot be written. */
  async save(isWhole: boolean): Promise<void> {
    if (!isWhole) this.#keepUnseen();
    if (!this.#isChanged && this.#now.count === this.#before.size) return;
    const path = join(this.#directory, nameOf(this.#head));
    try {
      await mkdir(this.#directory, { recursive: true, mode: 0o700 });
      await writeFile(`${path}.${process.pid}`, [`${this.#head}\n`, ...this.#now.pieces()], { mode: 0o600 });
      await rename(`${path}.${process.pid}`, path);
    } catch {
      await rm(`${path}.${process.pid}`, { force: true }).catch(() => {});
    }
  }

  #keepUnseen(): void {
    const seen = entriesIn(
      Buffer.concat([Buffer.from(`${this.#head}\n`), ...this.#now.pieces()]).toString(),
      this.#head,
    );
    for (const [name, entry] of this.#before) if (!seen.has(name)) this.#now.add(`${entry} ${name}`);
  }
}

/** Lines as bytes outside of the heap: strings take four times as much, and each collection looks at them. */
class Lines {
  readonly #full: Buffer[] = [];
  #filling: string[] = [];
  count = 0;

  add(line: string): void {
    this.count += 1;
    this.#filling.push(line);
    if (this.#filling.length >= LINES_TOGETHER) this.#fill();
  }

  pieces(): readonly Buffer[] {
    this.#fill();
    return this.#full;
  }

  #fill(): void {
    if (this.#filling.length > 0) this.#full.push(Buffer.from(`${this.#filling.join('\n')}\n`));
    this.#filling = [];
  }
}

const nameOf = (head: string): string => createHash('sha256').update(head).digest('hex').slice(0, 32);

/** `ctime` as well: whoever rewrites a file in place can set its `mtime` back, but not that. */
const markOf = ({ ino, size, mtimeNs, ctimeNs }: FileMark): string => `${ino}.${size}.${mtimeNs}.${ctimeNs} `;

/** By name: mark and version. A file that was cut off ends with a line that is passed over. */
function entriesIn(text: string, head: string): Map<string, string> {
  const entries = new Map<string, string>();
  let from = text.indexOf('\n');
  if (text.slice(0, from) !== head) return entries;
  for (;;) {
    const to = text.indexOf('\n', from + 1);
    if (to < 0) return entries;
    const version = text.indexOf(' ', from + 1);
    const name = text.indexOf(' ', version + 1);
    if (version > 0 && name > 0 && name < to) entries.set(text.slice(name + 1, to), text.slice(from + 1, name));
    from = to;
  }
}
