// Lets one launcher at a time install the packages, or make the bundle. A lock file with a heartbeat rather than a
// process id alone, because two launchers may run in two containers over one checkout. It lies outside node_modules,
// which `npm ci` deletes.
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const HEARTBEAT_MS = 2000;
const STALE_MS = 15_000;
const POLL_MS = 250;

/**
 * @param {string} file
 * @param {() => Promise<void>} work
 * @param {string} what is being done
 */
export async function withInstallLock(file, work, what = 'installing packages') {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const mine = randomUUID();
  await acquire(file, mine, what);
  const heartbeat = setInterval(() => touch(file), HEARTBEAT_MS);
  try {
    await work();
  } finally {
    clearInterval(heartbeat);
    if (readOrNothing(file) === mine) fs.rmSync(file, { force: true });
  }
}

async function acquire(file, mine, what) {
  let told = false;
  for (;;) {
    try {
      fs.writeFileSync(file, mine, { flag: 'wx' });
      return;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    if (!removeIfStale(file)) {
      if (!told) process.stderr.write(`pocketful: waiting for another start of Pocketful to finish ${what}\n`);
      told = true;
      await sleep(POLL_MS);
    }
  }
}

/**
 * Takes a dead holder's lock away. Renaming first, so that of two waiters one takes it, and a fresh lock is given back.
 */
function removeIfStale(file) {
  const before = statOrNothing(file);
  if (before === undefined) return true;
  if (Date.now() - before.mtimeMs < STALE_MS) return false;
  const aside = `${file}.${randomUUID()}`;
  try {
    fs.renameSync(file, aside);
  } catch {
    return true; // somebody else was faster
  }
  const taken = fs.statSync(aside);
  if (taken.ino !== before.ino) fs.linkSync(aside, file);
  fs.rmSync(aside);
  return true;
}

function touch(file) {
  try {
    fs.utimesSync(file, new Date(), new Date());
  } catch {
    // taken away: after a long suspend. The worst that follows is a second npm ci.
  }
}

function readOrNothing(file) {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

const statOrNothing = (file) => fs.statSync(file, { throwIfNoEntry: false });
