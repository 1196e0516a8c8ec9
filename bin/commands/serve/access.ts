// pocketful access: the keys that clients of the S3 endpoint sign their requests with, and what each may do.
import type { Command } from 'commander';
import type { AccessKey, AccessKeys } from '../../../lib/access/access-keys.ts';
import { parseRule, type Rule, ruleText } from '../../../lib/access/policy.ts';
import type { ObjectEngine } from '../../../lib/client/face.ts';
import { invalid } from '../../../lib/foundation/errors.ts';
import { accessKeysOf } from '../../../lib/gateway/key-ring.ts';
import { GatewayObjects } from '../../../lib/gateway/objects.ts';
import { PublicBuckets, publicRule } from '../../../lib/gateway/public-buckets.ts';
import { addCommand, collect, type Run } from '../command.ts';
import { table, timeText } from '../show/text.ts';

interface AllowOptions {
  readonly allow?: readonly string[];
}

const withAllow = (command: Command): Command =>
  command.option(
    '--allow <rule>',
    'RIGHTS:BUCKET/PREFIX, rights of read, write, delete, list, manage or all; may be given several times',
    collect,
  );

export function addAccess(program: Command): void {
  const access = program.command('access').description('keys for clients of the S3 endpoint (pocketful serve)');
  addCommand<AllowOptions>(
    access,
    'add <name>',
    'make a key; its secret is shown this once',
    async (run, [name = ''], options) => {
      const { keys, engine } = await opened(run);
      const { clock, randomness } = engine;
      const key = await keys.add({ name, rules: rulesOf(options) }, { randomness, nowMs: clock.nowMs() });
      run.answer({ ...shownKey(key), secret: key.secret }, () =>
        [
          `access key id      ${key.id}`,
          `secret access key  ${key.secret}`,
          ...key.rules.map((rule) => `may ${ruleText(rule)}`),
        ].join('\n'),
      );
      run.say('the secret is not shown again: keep it where its client finds it');
    },
    withAllow,
  );
  addCommand(access, 'ls', 'all keys and what they may do, without their secrets', async (run) => {
    const { keys, anybody } = await opened(run);
    const all: AccessKey[] = [];
    for await (const key of keys.list()) all.push(key);
    const open: string[] = [];
    for await (const rule of anybody.list()) open.push(ruleText(rule));
    run.answer({ keys: all.map(shownKey), public: open }, () => {
      const known = table([
        ['access key id', 'name', 'made', 'may'],
        ...all.map(({ id, name, createdAtMs, rules }) => [
          id,
          name,
          timeText(createdAtMs),
          rules.map(ruleText).join(' ') || 'nothing',
        ]),
      ]);
      return [known, ...open.map((rule) => `anybody, without a key: ${rule}`)].join('\n');
    });
  });
  addCommand(access, 'rm <id>', 'remove a key: what it signs is refused within seconds', async (run, [id = '']) => {
    await (await opened(run)).keys.remove(id);
    run.answer({ id, removed: true }, `removed ${id}`);
  });
  addCommand<AllowOptions>(
    access,
    'policy <id>',
    'replace what a key may do by the rules given',
    async (run, [id = ''], options) => {
      const key = await (await opened(run)).keys.setRules(id, rulesOf(options));
      run.answer(shownKey(key), () => key.rules.map((rule) => `${id} may ${ruleText(rule)}`).join('\n'));
    },
    withAllow,
  );
  addPublic(access);
}

/** What anybody may read without a key; none unless it is said. */
function addPublic(access: Command): void {
  addCommand<{ readonly list?: boolean }>(
    access,
    'public <place>',
    'let anybody read the objects of BUCKET or BUCKET/PREFIX without a key',
    async (run, [place = ''], { list = false }) => {
      const rule = publicRule(place, list);
      await (await opened(run)).anybody.open(rule);
      run.answer({ public: ruleText(rule) }, `anybody, without a key: ${ruleText(rule)}`);
    },
    (command) => command.option('--list', 'and list them'),
  );
  addCommand(
    access,
    'private <bucket>',
    'let nobody read a bucket without a key any more',
    async (run, [name = '']) => {
      const wasPublic = await (await opened(run)).anybody.close(name);
      run.answer({ bucket: name, wasPublic }, wasPublic ? `${name} is private` : `${name} was not public`);
    },
  );
}

const shownKey = ({ id, name, createdAtMs, rules }: AccessKey) => ({
  id,
  name,
  createdAtMs,
  rules: rules.map(ruleText),
});

async function opened(run: Run): Promise<{ keys: AccessKeys; anybody: PublicBuckets; engine: ObjectEngine }> {
  const engine = await (await run.open()).objects();
  const objects = new GatewayObjects(engine);
  return { keys: accessKeysOf(objects), anybody: new PublicBuckets(objects), engine };
}

/** Deny by default: a key without a rule is of no use, so one must be said. Throws `invalid` RULE_INVALID. */
function rulesOf({ allow = [] }: AllowOptions): Rule[] {
  if (allow.length === 0)
    throw invalid('RULE_INVALID', 'say what it may do: --allow all, or for example --allow read,list:photos/2024/');
  return allow.map(parseRule);
}
