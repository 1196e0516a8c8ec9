// The launcher in real child processes: on a copy of it in a project of its own whose packages need no network, by the Node
// running and, where the machine has one, by an older Node.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const ROOT = path.resolve(import.meta.dirname, '../..');
const OLD_NODE = '/usr/bin/node';
const oldNodeMajor = (): number => {
  try {
    return Number.parseInt(execFileSync(OLD_NODE, ['--version'], { encoding: 'utf8' }).slice(1), 10);
  } catch {
    return 0;
  }
};
const hasOldNode = oldNodeMajor() >= 20 && oldNodeMajor() < 24;

let project: string;

/** A project with one package of its own, from a folder, that `npm ci` can install offline. */
beforeEach(() => {
  project = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'pocketful-launch-')));
  fs.mkdirSync(path.join(project, 'bin'));
  for (const file of ['launch.mjs', 'install-lock.mjs', 'pocketful.mjs', 'ready-made.mjs'])
    fs.copyFileSync(path.join(ROOT, 'bin', file), path.join(project, 'bin', file));
  write('bin/cli.mjs', `import './report.ts';`);
  write(
    'bin/report.ts',
    `console.log(JSON.stringify({ args: process.argv.slice(2), cwd: process.cwd(), major: Number.parseInt(process.versions.node),
       sibling: process.env['PATH']!.split(':')[0]! + '/node' === process.execPath, flags: process.execArgv }));`,
  );
  write('dependency/package.json', JSON.stringify({ name: 'dependency', version: '1.0.0' }));
  lockedAt('1.0.0');
});
afterEach(() => fs.rmSync(project, { recursive: true, force: true }));

function write(file: string, content: string): void {
  fs.mkdirSync(path.dirname(path.join(project, file)), { recursive: true });
  fs.writeFileSync(path.join(project, file), content);
}

function lockedAt(version: string): void {
  const manifest = {
    name: 'project',
    version: '1.0.0',
    type: 'module',
    dependencies: { dependency: 'file:dependency' },
  };
  write('dependency/package.json', JSON.stringify({ name: 'dependency', version }));
  write('package.json', JSON.stringify(manifest));
  const packages = {
    '': { name: manifest.name, version: manifest.version, dependencies: manifest.dependencies },
    dependency: { version },
    'node_modules/dependency': { resolved: 'dependency', link: true },
  };
  write('package-lock.json', JSON.stringify({ name: 'project', version: '1.0.0', lockfileVersion: 3, packages }));
}

interface Run {
  readonly child: ChildProcess;
  readonly ended: Promise<{ code: number | null; signal: string | null; stdout: string; stderr: string }>;
}

function start(args: readonly string[], options: { node?: string; cwd?: string } = {}): Run {
  const child = spawn(options.node ?? process.execPath, args, {
    cwd: options.cwd ?? project,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: '', npm_config_offline: 'true', npm_execpath: '' },
  });
  const [stdout, stderr, exit] = [text(child.stdout), text(child.stderr), once(child, 'exit')];
  const ended = Promise.all([stdout, stderr, exit]).then(([out, err, [code, signal]]) => ({
    code: code as number | null,
    signal: signal as string | null,
    stdout: out,
    stderr: err,
  }));
  return { child, ended };
}

const launched = (file: string, ...args: string[]): Run => start(['bin/launch.mjs', file, ...args]);

describe('launcher', () => {
  it('installs once, says so on stderr only, and passes arguments and folder on', async () => {
    const first = await launched('bin/report.ts', 'a', '--b', 'c d').ended;
    expect(first.stderr).toMatch(/^pocketful: installing packages \(npm ci\).* done in \d+ s\n$/);
    const report = JSON.parse(first.stdout);
    expect(report).toMatchObject({ args: ['a', '--b', 'c d'], cwd: project, sibling: true });
    expect(report.flags).toContain('--disable-warning=ExperimentalWarning');
    expect(fs.existsSync(path.join(project, 'node_modules/dependency/package.json'))).toBe(true);
    const second = await launched('bin/report.ts').ended;
    expect(second).toMatchObject({ code: 0, stderr: '' });
  });

  it('installs again after the lockfile changed, and not after npm itself installed', async () => {
    await launched('bin/report.ts').ended;
    lockedAt('1.0.1');
    expect((await launched('bin/report.ts').ended).stderr).toContain('installing');
    lockedAt('1.0.2');
    execFileSync('npm', ['ci', '--offline'], { cwd: project, stdio: 'ignore' });
    expect((await launched('bin/report.ts').ended).stderr).toBe('');
  });

  it('two at once install one after the other', async () => {
    const runs = await Promise.all([launched('bin/report.ts').ended, launched('bin/report.ts').ended]);
    expect(runs.map((run) => run.code)).toEqual([0, 0]);
    expect(runs.filter((run) => run.stderr.includes('installing packages (npm ci)'))).toHaveLength(1);
    expect(fs.readdirSync(path.join(project, '.cache'))).toEqual([]);
  });

  it('takes over the lock of a launcher that died while installing', async () => {
    write('.cache/install.lock', 'somebody who is gone');
    const longAgo = new Date(Date.now() - 60_000);
    fs.utimesSync(path.join(project, '.cache/install.lock'), longAgo, longAgo);
    expect(await launched('bin/report.ts').ended).toMatchObject({ code: 0 });
    expect(fs.readdirSync(path.join(project, '.cache'))).toEqual([]);
  });

  it('shows what npm said when it fails, and starts nothing', async () => {
    write('package.json', JSON.stringify({ name: 'project', version: '1.0.0', dependencies: { other: '1.0.0' } }));
    const run = await launched('bin/report.ts').ended;
    expect(run).toMatchObject({ code: 1, stdout: '' });
    expect(run.stderr).toContain('npm ci failed with exit code 1');
    expect(run.stderr).toMatch(/^npm (error|ERR!)/m);
  });
});

describe('launcher, once installed', () => {
  // What npm leaves behind when it installed everything.
  beforeEach(() =>
    fs.cpSync(path.join(project, 'package-lock.json'), path.join(project, 'node_modules/.package-lock.json')),
  );

  it('works as `pocketful` through a symlink from another folder', async () => {
    const elsewhere = path.join(project, 'else where');
    fs.mkdirSync(elsewhere);
    fs.symlinkSync(path.join(project, 'bin/pocketful.mjs'), path.join(elsewhere, 'pocketful'));
    const run = await start([path.join(elsewhere, 'pocketful'), 'ls', '--json'], { cwd: elsewhere }).ended;
    expect(JSON.parse(run.stdout)).toMatchObject({ args: ['ls', '--json'], cwd: elsewhere });
  });

  it('runs `pocketful` in its own process where that is on the right Node, and says no experimental warnings', async () => {
    write(
      'bin/report.ts',
      `process.emitWarning('new', 'ExperimentalWarning'); process.emitWarning('wrong');
       console.log(JSON.stringify({ pid: process.pid }));`,
    );
    const run = start(['bin/pocketful.mjs']);
    const { stdout, stderr } = await run.ended;
    expect(JSON.parse(stdout)).toEqual({ pid: run.child.pid });
    expect(stderr).toContain('Warning: wrong');
    expect(stderr).not.toContain('ExperimentalWarning');
  });

  it('hands the exit code back', async () => {
    write('bin/seven.ts', 'process.exit(7 as number);');
    expect(await launched('bin/seven.ts').ended).toMatchObject({ code: 7, signal: null });
  });

  it('hands the signal that ended the program back', async () => {
    write('bin/kill.ts', `process.kill(process.pid, 'SIGKILL'); setInterval(() => {}, 1000);`);
    expect(await launched('bin/kill.ts').ended).toMatchObject({ code: null, signal: 'SIGKILL' });
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'passes %s on, and waits for the program to finish',
    async (signal) => {
      write(
        'bin/wait.ts',
        `process.once('${signal}', () => setTimeout(() => { console.log('cleaned up'); process.exit(3); }, 50));
       setInterval(() => {}, 1000); console.log('ready');`,
      );
      const run = launched('bin/wait.ts');
      await once(run.child.stdout!, 'data');
      run.child.kill(signal);
      const { code, stdout } = await run.ended;
      expect({ code, stdout }).toEqual({ code: 3, stdout: 'ready\ncleaned up\n' });
    },
  );

  it('dies of the signal its program dies of', async () => {
    write('bin/wait.ts', `setInterval(() => {}, 1000); console.log('ready');`);
    const run = launched('bin/wait.ts');
    await once(run.child.stdout!, 'data');
    run.child.kill('SIGTERM');
    expect(await run.ended).toMatchObject({ code: null, signal: 'SIGTERM' });
  });

  it('explains its usage without a file', async () => {
    const run = await start(['bin/launch.mjs']).ended;
    expect(run.code).toBe(2);
    expect(run.stderr).toContain('usage: node bin/launch.mjs FILE');
  });

  it.runIf(hasOldNode)('called by an old Node, says what to install where no Node 24 was packaged', async () => {
    const run = await start(['bin/launch.mjs', 'bin/report.ts'], { node: OLD_NODE }).ended;
    expect(run).toMatchObject({ code: 1, stdout: '' });
    expect(run.stderr).toMatch(/^pocketful: Pocketful runs on Node 24 or newer, and this is v2\d.*install Node 24\n$/);
  });

  it.runIf(hasOldNode)('called by an old Node, runs the Node 24 of the optional package', async () => {
    const name = `node-linux-${process.arch}`;
    write(`node_modules/${name}/package.json`, JSON.stringify({ name, version: '24.0.0' }));
    fs.mkdirSync(path.join(project, 'node_modules', name, 'bin'));
    fs.copyFileSync(process.execPath, path.join(project, 'node_modules', name, 'bin/node'));
    const run = await start(['bin/launch.mjs', 'bin/report.ts', 'x'], { node: OLD_NODE }).ended;
    expect(JSON.parse(run.stdout)).toMatchObject({
      args: ['x'],
      sibling: true,
      major: Number.parseInt(process.versions.node, 10),
    });
  });
});
