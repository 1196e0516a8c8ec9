// A process that appends to a drive until it is killed. Run as a program it is the writer; imported, it starts one.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { DirectoryDrive, type DriveIdentity } from '../../lib/drive/directory-drive.ts';
import { WRITER_TAG } from '../../lib/drive/writer-tag.ts';
import { driveId, storeId } from '../../lib/foundation/ids.ts';

export interface Writer {
  /** Its prefix of temporary files. */
  readonly tag: string;
  /** kill -9; resolves once it is gone. */
  kill(): Promise<void>;
}

/** Resolves after the writer's first append. It writes 300,000 equal bytes at a time to zone 9 of `generation`. */
export async function startWriter(path: string, identity: DriveIdentity, generation: number): Promise<Writer> {
  const program = fileURLToPath(import.meta.url);
  const args = [program, path, identity.storeId, String(identity.driveId), String(generation)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const [first] = (await Promise.race([once(child.stdout, 'data'), exited.then(() => [undefined])])) as [unknown];
  if (first === undefined) throw new Error('the writer ended before its first append');
  return {
    tag: String(first).trim(),
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

async function writeUntilKilled([path = '', store = '', drive = '', generation = '']: string[]): Promise<never> {
  const opened = new DirectoryDrive(path, { storeId: storeId(store), driveId: driveId(Number(drive)) });
  const at = { zone: 9, generation: Number(generation) };
  let next = 0;
  const write = async (): Promise<void> => {
    const body = Buffer.alloc(300_000, next);
    await opened.append(at, `${next++}`, [body.subarray(0, 100_000), body.subarray(100_000)]);
  };
  await write();
  process.stdout.write(`${WRITER_TAG}\n`);
  const forever = async (): Promise<never> => {
    for (;;) await write();
  };
  return Promise.race([forever(), forever(), forever(), forever()]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeUntilKilled(process.argv.slice(2));
