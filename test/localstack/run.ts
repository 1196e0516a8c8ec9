// `npm run test:localstack [-- --docker] [-- VITEST ARGUMENTS]`: starts an empty LocalStack, runs the tests of the `localstack` project against
// it, counts them, and always stops it. Exit code 0 only if tests ran and all passed. `npm run test:stage` runs the deployed stage alone
// (--compaction), without the contract suites of the AWS bodies.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { type Emulator, freePort, startDocker, startKit } from './emulator.ts';
import { ensurePrerequisites } from './prerequisites.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const STAGE_TESTS = 'test/localstack/stack.test.ts';
const LOG_TAIL_LINES = 60;

const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

const report = z.object({
  testResults: z.array(
    z.object({
      status: z.string(),
      assertionResults: z.array(z.object({ status: z.string() })),
    }),
  ),
});

interface Outcome {
  readonly passed: number;
  /** A file that could not even be loaded counts as one. */
  readonly failed: number;
}

/** Nothing of the user's own AWS set-up may leak into the tests, and no test may reach a real account. */
function environmentFor(emulator: Emulator): NodeJS.ProcessEnv {
  const { PATH = '', ...rest } = process.env;
  const kept = Object.entries(rest).filter(([name]) => !name.startsWith('AWS_'));
  return {
    ...Object.fromEntries(kept),
    PATH: `${dirname(process.execPath)}:${PATH}`,
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_EC2_METADATA_DISABLED: 'true',
    ...emulator.variables,
    POCKETFUL_EMULATOR: emulator.name,
  };
}

/** Runs vitest and resolves with its exit code; signals to this process are passed on. */
function runVitest(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  return new Promise((resolve) => {
    const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
    const child = spawn(process.execPath, [vitest, 'run', '--project=localstack', ...args], {
      cwd: ROOT,
      env,
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    const pass = (signal: NodeJS.Signals): void => {
      child.kill(signal);
    };
    process.on('SIGINT', pass);
    process.on('SIGTERM', pass);
    child.on('error', () => resolve(1));
    child.on('exit', (code) => resolve(code ?? 1));
  });
}

/** What vitest reported; undefined if it left nothing to read. */
function outcomeIn(file: string): Outcome | undefined {
  let files: z.infer<typeof report>['testResults'];
  try {
    files = report.parse(JSON.parse(readFileSync(file, 'utf8'))).testResults;
  } catch {
    return undefined;
  }
  const counted = files.map(({ status, assertionResults }) => {
    const count = (of: string): number => assertionResults.filter((test) => test.status === of).length;
    return { passed: count('passed'), failed: Math.max(count('failed'), status === 'failed' ? 1 : 0) };
  });
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, n) => total + n, 0);
  return {
    passed: sum(counted.map(({ passed }) => passed)),
    failed: sum(counted.map(({ failed }) => failed)),
  };
}

/** One run against a LocalStack of its own. */
async function runOnce(docker: boolean, args: readonly string[]): Promise<Outcome> {
  const port = await freePort();
  say(`localstack: starting on port ${port}`);
  const emulator = docker ? await startDocker(port) : startKit(port, process.execPath);
  const scratch = mkdtempSync(join(tmpdir(), 'pocketful-localstack-'));
  try {
    const file = join(scratch, 'report.json');
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
    const code = await runVitest([...reporters, ...args], environmentFor(emulator));
    const outcome = outcomeIn(file) ?? { passed: 0, failed: 0 };
    const failed = code !== 0 && outcome.failed === 0 ? 1 : outcome.failed;
    if (failed > 0) say(`\nthe end of LocalStack's log:\n${emulator.logTail(LOG_TAIL_LINES)}`);
    return { ...outcome, failed };
  } finally {
    emulator.stop();
    rmSync(scratch, { recursive: true, force: true });
  }
}

const OPTIONS = ['--docker', '--compaction'];

async function main(args: readonly string[]): Promise<number> {
  const docker = args.includes('--docker');
  if (!docker) {
    const missing = ensurePrerequisites(say);
    if (missing.length > 0) {
      say(`localstack: please install ${missing.join(', ')} first, or use --docker`);
      return 1;
    }
  }
  const rest = args.filter((arg) => !OPTIONS.includes(arg));
  const files = args.includes('--compaction') ? [STAGE_TESTS] : [];
  const { passed, failed } = await runOnce(docker, [...files, ...rest]);
  if (passed + failed === 0) say('localstack: no test ran');
  say(`localstack: ${passed} passed, ${failed} failed`);
  return passed > 0 && failed === 0 ? 0 : 1;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  say(`localstack: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
