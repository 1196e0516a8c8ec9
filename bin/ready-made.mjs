// The CLI of a checkout, made ready: one bundle below .cache/bundle loads in a third of the time that its sources take.
// It is used only while nothing that went into it has changed: every source has the size, times and inode it had before
// it was read, and the packages are those of the lockfile then. Asks for nothing but Node's own modules, by require:
// to import one reads all that it exports, which loads more of Node (docs/performance.md, Start).
import { createRequire } from 'node:module';

const requireFrom = createRequire(import.meta.url);
const fs = requireFrom('node:fs');
const path = requireFrom('node:path');

const STAMP = 'made.json';
/** Programs that run load more of theirs when they need it. */
const KEPT = 4;

export const bundlesIn = (root) => path.join(root, '.cache', 'bundle');

/**
 * Path of its program; undefined: there is none, or it is of other sources.
 * @param {string} root
 * @returns {string | undefined}
 */
export function readyMade(root) {
  root = path.resolve(root);
  const known = found.get(root) ?? lookedUp(root);
  if (known !== undefined) found.set(root, known);
  return known;
}

/** The launcher asks before the program it starts does: once is enough for a process. */
const found = new Map();

function lookedUp(root) {
  try {
    const { folder, sources, lock } = JSON.parse(fs.readFileSync(path.join(bundlesIn(root), STAMP), 'utf8'));
    if (lock !== lockOf(root)) return undefined;
    for (const [file, known] of sources) if (markOf(`${root}/${file}`) !== known) return undefined;
    const program = path.join(bundlesIn(root), folder, 'program.mjs');
    return fs.existsSync(program) ? program : undefined;
  } catch {
    return undefined;
  }
}

/** What a change of the file changes: who writes it in place can set its `mtime` back, but not its `ctime`. */
export function markOf(file) {
  const { size, mtimeMs, ctimeMs, ino } = fs.statSync(file);
  return `${size} ${mtimeMs} ${ctimeMs} ${ino}`;
}

/** The packages that are installed, as the launcher says. */
const lockOf = (root) => fs.readFileSync(path.join(root, 'node_modules', '.pocketful-lock'), 'utf8');

/**
 * Makes the bundle. `build` writes it into a folder and answers which of the files it read; `marks` are those from
 * before it read any.
 * @param {string} root
 * @param {Map<string, string>} marks
 * @param {(folder: string) => Promise<readonly string[]>} build
 */
export async function makeReady(root, marks, build) {
  const lock = lockOf(root);
  const folder = `${Date.now()}-${requireFrom('node:crypto').randomUUID().slice(0, 8)}`;
  const inputs = await build(path.join(bundlesIn(root), folder));
  const sources = inputs.filter((file) => marks.has(file)).map((file) => [file, marks.get(file)]);
  const stamp = path.join(bundlesIn(root), STAMP);
  fs.writeFileSync(`${stamp}.${folder}`, JSON.stringify({ folder, lock, sources }));
  fs.renameSync(`${stamp}.${folder}`, stamp);
  const others = fs
    .readdirSync(bundlesIn(root), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== folder)
    .map(({ name }) => name)
    .sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));
  // Two may have been made in one millisecond: this one is not the older in any case.
  for (const name of others.slice(0, 1 - KEPT))
    fs.rmSync(path.join(bundlesIn(root), name), { recursive: true, force: true });
}
