// A process of its own on a SQLite Panda, for tests of two processes, of sudden death and of a file that cannot be written.
// Arguments: a task and the file. Prints one line a step; tasks that are to fail end with
// `error KIND CODE`.
import { isPocketfulError } from '../../lib/foundation/errors.ts';
import { PandaConflict } from '../../lib/panda/conflict.ts';
import { SqlitePanda } from '../../lib/panda/sqlite/sqlite-panda.ts';

const [task, path = '', count = '0'] = process.argv.slice(2);
const NOBODY = 65_534;
const counter = { partition: 'p', sort: 'counter' };
const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

/** Reads, then writes under the condition that nobody wrote in between. */
async function increment(panda: SqlitePanda): Promise<void> {
  for (;;) {
    try {
      const n = Number((await panda.get(counter))?.attributes['n']);
      const unchanged = [{ attribute: 'n', equals: n }];
      return await panda.transact([{ kind: 'update', ...counter, set: { n: n + 1 }, if: unchanged }]);
    } catch (error) {
      if (!(error instanceof PandaConflict)) throw error;
    }
  }
}

async function incrementMany(): Promise<void> {
  const panda = await SqlitePanda.open(path);
  for (let i = 0; i < Number(count); i++) await increment(panda);
  await panda.close();
}

/** Writes until it is killed; a number is printed only after its transaction has resolved. */
async function writeForever(): Promise<void> {
  const panda = await SqlitePanda.open(path, { threadAfterWrites: Number(count) });
  for (let n = 0; ; n++) {
    const text = 'x'.repeat(500);
    await panda.transact([
      { kind: 'put', partition: 'a', sort: String(n), attributes: { n, text } },
      { kind: 'put', partition: 'b', sort: String(n), attributes: { n, text } },
    ]);
    say(String(n));
  }
}

async function openAsNobody(): Promise<void> {
  if (process.getuid?.() === 0) process.setuid?.(NOBODY);
  const panda = await SqlitePanda.open(path);
  await panda.close();
}

async function openAndWarn(): Promise<void> {
  const panda = await SqlitePanda.open(path);
  await panda.close();
  process.emitWarning('still heard');
}

/** The second write begins the thread that commits; nothing else holds the process. */
async function closeWhileThreadStarts(): Promise<void> {
  const panda = await SqlitePanda.open(path, { threadAfterWrites: 1 });
  for (const n of [1, 2]) await panda.transact([{ kind: 'put', ...counter, attributes: { n } }]);
  await panda.close();
  say('closed');
}

const TASKS: Readonly<Record<string, () => Promise<void>>> = {
  incrementMany,
  writeForever,
  openAsNobody,
  openAndWarn,
  closeWhileThreadStarts,
};

try {
  await TASKS[task ?? '']?.();
} catch (error) {
  if (task === 'incrementMany' || !isPocketfulError(error)) throw error;
  say(`error ${error.kind} ${error.code}`);
}
