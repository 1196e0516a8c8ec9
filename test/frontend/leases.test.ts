// However a put ends, it gives its volume back: a process that kept one would wait for it for ever.
import { expect, it } from 'vitest';
import { isPocketfulError } from '../../lib/foundation/errors.ts';
import { scriptedPlan } from '../../lib/foundation/faults.ts';
import { World } from '../store/harness.ts';

it('a put whose look at the index fails after the append keeps no volume', async () => {
  const world = new World(3);
  let failures = 0;
  let isFailing = true;
  const plan = scriptedPlan(({ operation }, detail) => {
    const fails = isFailing && operation === 'getMany' && detail.startsWith('object/');
    if (fails) failures += 1;
    return fails ? 'before-error' : 'none';
  });
  const { frontend } = world.start({ plan });
  const put = async (key: string): Promise<string> => {
    const items = [{ namespace: 'default', key, body: Buffer.from(`body of ${key}`) }];
    for await (const outcome of frontend.putAll(items)) {
      if (outcome.ok) return 'stored';
      return isPocketfulError(outcome.error) ? outcome.error.code : String(outcome.error);
    }
    return 'no outcome';
  };
  for (let i = 0; i <= 2 * world.settings.openVolumes; i++) expect(await put(`refused ${i}`)).toBe('PANDA_BUSY');
  expect(failures).toBeGreaterThan(world.settings.openVolumes);
  isFailing = false;
  expect(await put('at last')).toBe('stored');
}, 10_000);
