// Backups that are older than what happened since, restored with a drive away, or written over somebody's file.
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Attack, Faults } from './attack.ts';
import { codeIn, type World } from './world.ts';

function loseMetadata(world: World): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(join(world.store, `panda.sqlite${suffix}`), { force: true });
}

const driveAway: Attack = {
  name: 'restore --rebuild with 2 drives away',
  right: 'goes on with what is there: all readable; refused only with --all-drives',
  async run(world) {
    const faults = new Faults();
    await world.run('backup', 'good.backup');
    await world.run('encode', '--all');
    loseMetadata(world);
    for (const drive of ['03', '07']) renameSync(join(world.store, 'drives', drive), world.at(`drive-${drive}`));
    const strict = await world.run('restore', 'good.backup', '--rebuild', '--all-drives');
    faults.unless(strict.code !== 0, '--all-drives went on');
    const ran = await world.run('restore', 'good.backup', '--rebuild');
    faults.unless(ran.code === 0, `restore --rebuild ended with ${ran.code} (${codeIn(ran.stderr)})`);
    if (ran.code !== 0) return { detected: `restore (${ran.code})`, faults: faults.list };
    const { wrong, unreadable } = await world.readAll();
    faults.unless(wrong.length === 0, `wrong bytes: ${wrong[0]}`);
    faults.unless(unreadable.length === 0, `${unreadable.length} unreadable: ${unreadable[0]}`);
    return { detected: /drive/.test(ran.stderr + ran.stdout) ? 'restore names them' : undefined, faults: faults.list };
  },
};

const olderThanMoves: Attack = {
  name: 'plain restore of a backup older than moves',
  right: 'it notices and says --rebuild; that brings all back',
  async run(world) {
    const faults = new Faults();
    await world.run('backup', 'old.backup');
    await world.run('encode', '--all');
    await world.run('gc', '--now');
    loseMetadata(world);
    const plain = await world.run('restore', 'old.backup');
    const isNoticed = (plain.stdout + plain.stderr).includes('--rebuild');
    faults.unless(plain.code !== 0, 'restore ended with 0');
    loseMetadata(world);
    const ran = await world.run('restore', 'old.backup', '--rebuild');
    faults.unless(ran.code === 0, `restore --rebuild ended with ${ran.code} (${codeIn(ran.stderr)})`);
    if (ran.code === 0) {
      const { wrong, unreadable } = await world.readAll();
      faults.unless(wrong.length + unreadable.length === 0, `${unreadable.length} unreadable: ${unreadable[0]}`);
    }
    return { detected: isNoticed ? `restore (${plain.code})` : undefined, faults: faults.list };
  },
};

const clobbered: Attack = {
  name: 'backup over a file of somebody',
  right: 'refused, the file is as it was',
  async run(world) {
    const faults = new Faults();
    writeFileSync(world.at('note.txt'), 'mine\n');
    const ran = await world.run('backup', 'note.txt');
    faults.unless(readFileSync(world.at('note.txt'), 'utf8') === 'mine\n', 'the file was overwritten');
    return { detected: ran.code === 0 ? undefined : `backup (${codeIn(ran.stderr)})`, faults: faults.list };
  },
};

export const ON_BACKUPS: readonly Attack[] = [driveAway, olderThanMoves, clobbered];
