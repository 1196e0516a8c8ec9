// `deploy` where no account can be asked: what a load costs is said all the same, and nothing else is done.
import { expect, it } from 'vitest';
import { pocketful } from './cli.ts';
import { temporaryFolder } from './temporary-folder.ts';

const cwd = temporaryFolder();
const NOWHERE = {
  AWS_REGION: undefined,
  AWS_DEFAULT_REGION: undefined,
  AWS_CONFIG_FILE: '/nowhere',
  AWS_EC2_METADATA_DISABLED: 'true',
};
const LOAD = ['deploy', 'dev', '--load', 'puts=1M,size=64KiB,keep=12mo'];

it('prices a load as a new stage would have it', async () => {
  const ran = await pocketful(cwd, [...LOAD, '--json'], { env: NOWHERE });
  expect([ran.code, ran.stderr]).toEqual([0, expect.stringContaining('this is what a new stage costs')]);
  const { deployed, month } = JSON.parse(ran.stdout) as {
    deployed: boolean;
    month: { item: string; dollars: number }[];
  };
  expect(deployed).toBe(false);
  expect(month.find(({ item }) => item === 'all of it')?.dollars).toBeGreaterThan(1);
});

it('deploys nothing', async () => {
  const ran = await pocketful(cwd, [...LOAD, '--yes'], { env: NOWHERE });
  expect([ran.code, ran.stdout]).toEqual([7, '']);
});
