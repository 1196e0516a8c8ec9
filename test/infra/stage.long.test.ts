// The app as it is deployed: the real CDK CLI with bundling and with CDK's rules for templates, both left out of the quick tests. Every function's
// bundle loads in a fresh process and has a handler.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WORKERS } from '../../lib/infra/stage-parts.ts';
import { settingsOf } from '../../lib/settings/settings.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const BUNDLE_BYTES_MAX = 1_200_000;
const out = mkdtempSync(join(tmpdir(), 'pocketful-synth-'));

function cdk(...args: string[]) {
  const cli = join(ROOT, 'node_modules/aws-cdk/bin/cdk');
  return spawnSync(process.execPath, [cli, ...args, '--no-notices', '--output', out], {
    cwd: ROOT,
    encoding: 'utf8',
    env: { ...process.env, CI: 'true', CDK_DISABLE_CLI_TELEMETRY: 'true', CDK_VALIDATION: 'true' },
  });
}

let synth: ReturnType<typeof cdk>;
beforeAll(() => {
  synth = cdk('synth', '--all', '--quiet', '-c', 'stage=long', '-c', 'preset=personal');
});
afterAll(() => rmSync(out, { recursive: true, force: true }));

interface Asset {
  readonly path: string;
}

/** Bundle of each function, by the function's name. */
function bundles(): Map<string, string> {
  const found = new Map<string, string>();
  for (const stack of ['Pocketful-long-data', 'Pocketful-long-c0', 'Pocketful-long']) {
    const { Resources } = JSON.parse(readFileSync(join(out, `${stack}.template.json`), 'utf8'));
    for (const { Type, Properties, Metadata } of Object.values<{
      Type: string;
      Properties: { FunctionName?: string };
      Metadata?: Record<string, string>;
    }>(Resources)) {
      const asset: Asset = { path: Metadata?.['aws:asset:path'] ?? '' };
      if (Type === 'AWS::Lambda::Function')
        found.set(Properties.FunctionName ?? '', join(out, asset.path, 'index.mjs'));
    }
  }
  return found;
}

describe('the synthesized app', () => {
  it('is accepted by the CDK CLI and its rules, without a warning', () => {
    expect(synth.status, synth.stderr).toBe(0);
    expect(synth.stderr).not.toMatch(/\[WARNING\]|\[Error/);
  });

  it('bundles every function small enough to start fast, each with a handler', () => {
    const all = bundles();
    expect(all.size).toBe(WORKERS.length + 2);
    for (const [name, file] of all) {
      expect(statSync(file).size, name).toBeLessThan(BUNDLE_BYTES_MAX);
      const script = `const { handler } = await import(process.argv[1]); process.exit(typeof handler === 'function' ? 0 : 3)`;
      const load = spawnSync(process.execPath, ['--input-type=module', '--eval', script, '--', file], {
        encoding: 'utf8',
        env: {
          ...process.env,
          AWS_REGION: 'us-east-1',
          POCKETFUL_STAGE: 'long',
          POCKETFUL_TABLE: 'table',
          POCKETFUL_DRIVES: 'a,b',
          POCKETFUL_KEY: 'key',
          POCKETFUL_SETTINGS: JSON.stringify(settingsOf('thrifty')),
          POCKETFUL_DRAIN_QUEUE_URL: 'https://sqs.us-east-1.amazonaws.com/1/drain',
          POCKETFUL_DRAIN_DLQ_URL: 'https://sqs.us-east-1.amazonaws.com/1/dead',
        },
      });
      expect(load.status, `${name}: ${load.stderr}`).toBe(0);
    }
  });

  it('refuses a stage that cannot be, in one line', () => {
    const { status, stderr } = cdk('synth', '--all', '--quiet', '-c', 'stage=long', '-c', 'drives=3');
    expect(status).not.toBe(0);
    expect(stderr).toMatch(/pocketful: stage: drives: .* need at least 9 drives, not 3 \(STAGE_INVALID\)/);
  });
});
