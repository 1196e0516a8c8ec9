// Sound stores, at rest and after everything a user does with them: whatever doctor finds there is a false alarm.
import { cpSync, renameSync } from 'node:fs';
import { type Attack, Faults } from './attack.ts';
import type { World } from './world.ts';

const sound = (name: string, use: (world: World) => Promise<unknown>): Attack => ({
  name: `a sound store, ${name}`,
  right: 'healthy, all readable',
  isHarmless: true,
  async run(world) {
    const faults = new Faults();
    await use(world);
    let detected: string | undefined;
    for (const options of [[], ['--read'], ['--fix', '--read']]) {
      const { code, said } = await world.doctor(...options);
      if (code !== 0) detected ??= `doctor ${options.join(' ')} (${code}): ${said.slice(0, 120)}`;
    }
    const { wrong, unreadable } = await world.readAll();
    faults.unless(wrong.length + unreadable.length === 0, `unreadable: ${[...wrong, ...unreadable][0]}`);
    return { detected, faults: faults.list };
  },
});

export const ON_NOTHING: readonly Attack[] = [
  sound('at rest', async () => {}),
  sound('after deletes, gc, encode, compact and tune', async (world) => {
    await world.delete(60);
    await world.run('gc');
    await world.put('late', 40, 10_000);
    await world.run('encode', '--all');
    await world.run('compact', '--until-stable');
    await world.delete(20);
    await world.run('daemon', '--once');
  }),
  sound('moved elsewhere', async (world) => {
    renameSync(world.store, world.at('moved'));
    renameSync(world.at('moved'), world.store);
    await world.put('moved-put', 5);
  }),
  sound('copied as a whole', async (world) => {
    await world.put('before', 5);
    cpSync(world.store, world.at('copy'), { recursive: true });
    renameSync(world.store, world.at('first'));
    renameSync(world.at('copy'), world.store);
    await world.put('after', 5);
  }),
  sound('rotated keys', async (world) => {
    await world.run('keys', 'rotate');
    await world.put('rotated', 5);
  }),
];
