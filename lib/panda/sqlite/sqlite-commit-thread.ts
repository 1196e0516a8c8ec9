// The thread's own program (sqlite-thread.ts): commits batches on a connection of its own until it is told to close.
import { parentPort, workerData } from 'node:worker_threads';
import { present } from '../../foundation/assert.ts';
import { answerMessageOf, batchOf, errorMessageOf } from './batch-message.ts';
import { BatchCommitter } from './sqlite-batch.ts';
import { learnDamage } from './sqlite-damage.ts';
import { sqliteError } from './sqlite-errors.ts';
import { openSqliteFile } from './sqlite-file.ts';
import { inOneRead, prepareStatements, valuesAt } from './sqlite-rows.ts';
import type { Answer, Question, ThreadData } from './sqlite-thread.ts';

const { path, attempts, attemptMs, openTimeoutMs, bytesMax } = workerData as ThreadData;
const port = present(parentPort, 'this program is a thread of another one');
const database = openSqliteFile(path, {
  create: false,
  openTimeoutMs,
  attemptMs,
  ...(bytesMax === undefined ? {} : { bytesMax }),
});
const statements = prepareStatements(database);
const committer = new BatchCommitter({ path, database, statements, attempts });

async function answerTo(question: Question): Promise<Answer> {
  const { id } = question;
  if (question.what === 'read') return read(id, question.keys);
  const answer = await committer.commit(batchOf(question.batch), question.batch.nowMs);
  return { id, what: 'committed', answer: answerMessageOf(answer) };
}

function read(id: number, keys: readonly string[]): Answer {
  try {
    return { id, what: 'found', values: inOneRead(database, statements, () => valuesAt(statements, keys)) };
  } catch (error) {
    learnDamage(path, error);
    return { id, what: 'unreadable', error: errorMessageOf(sqliteError(error, path)) };
  }
}

port.on('message', async (message: Question | 'close') => {
  if (message === 'close') {
    database.close();
    port.close();
  } else port.postMessage(await answerTo(message));
});
port.postMessage('open');
