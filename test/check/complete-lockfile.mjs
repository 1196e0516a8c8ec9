// npm run lockfile: adds to package-lock.json the platform packages that a partial registry mirror could not resolve,
// so that `npm ci` on every platform finds the lock complete. Run it after each `npm install`.
import fs from 'node:fs';

const lock = JSON.parse(fs.readFileSync('package-lock.json', 'utf8'));
const oses = ['android', 'darwin', 'freebsd', 'linux', 'openharmony', 'win32', 'netbsd', 'openbsd', 'sunos', 'aix'];
const cpus = {
  arm64: 'arm64',
  x64: 'x64',
  ia32: 'ia32',
  arm: 'arm',
  eabi: 0,
  ppc64: 'ppc64',
  riscv64: 'riscv64',
  s390x: 's390x',
  loong64: 'loong64',
  mips64el: 'mips64el',
  wasm32: 'wasm32',
};
let added = 0;
for (const [path, p] of Object.entries({ ...lock.packages })) {
  for (const [name, version] of Object.entries(p.optionalDependencies ?? {})) {
    const nested = `${path}/node_modules/${name}`,
      top = `node_modules/${name}`;
    if (lock.packages[nested] || lock.packages[top]) continue;
    const parts = name.split('/').pop().split('-');
    const os = oses.filter((o) => parts.includes(o));
    const cpu = Object.keys(cpus).filter((c) => parts.includes(c) && cpus[c]);
    const e = { version };
    if (cpu.length) e.cpu = cpu;
    if (p.dev) e.dev = true;
    e.optional = true;
    if (os.length) e.os = os;
    if (parts.some((x) => x.startsWith('musl'))) e.libc = ['musl'];
    else if (os[0] === 'linux' && parts.some((x) => x.startsWith('gnu'))) e.libc = ['glibc'];
    if (!/^\d/.test(version)) {
      console.log('skip', name, version);
      continue;
    }
    lock.packages[top] = e;
    added++;
    console.log(name, JSON.stringify(e));
  }
}
const { '': root, ...rest } = lock.packages;
lock.packages = { '': root, ...Object.fromEntries(Object.entries(rest).sort(([a], [b]) => (a < b ? -1 : 1))) };
fs.writeFileSync('package-lock.json', `${JSON.stringify(lock, null, 2)}\n`);
console.log('added', added);
