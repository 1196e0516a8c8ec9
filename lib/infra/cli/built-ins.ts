// Node's own modules in the bundle of the CLI: asked for by name, not imported. An import reads all that a module
// exports, and some of that loads more of Node when it is read (`fs.promises`, `fs.ReadStream`, `crypto.webcrypto`).
// The AWS SDK goes on importing them: it is loaded rarely, and takes its time anyway.
import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import type { Plugin } from 'esbuild';

const NAMESPACE = 'built-in';
/** In its own module: it is loaded where somebody names it. */
const LOADS_MORE = 'built-in-name';
/** Loaded at the first call of what they export: most commands make none. */
const LATER = ['node:child_process', 'node:readline/promises', 'node:zlib'];
const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;
const SDK = /node_modules[\\/]@(aws-sdk|aws-crypto|smithy)/;
const requireFrom = createRequire(import.meta.url);

export const builtIns: Plugin = {
  name: NAMESPACE,
  setup(build) {
    build.onResolve({ filter: /^node:/ }, ({ path, kind, importer }) => {
      // What asks by require reads no more than it uses.
      if (kind !== 'import-statement' || SDK.test(importer)) return undefined;
      return { path, namespace: NAMESPACE, sideEffects: false };
    });
    build.onResolve({ filter: /^built-in-name:/ }, ({ path }) => ({
      path: path.slice(LOADS_MORE.length + 1),
      namespace: LOADS_MORE,
      sideEffects: false,
    }));
    build.onLoad({ filter: /^/, namespace: NAMESPACE }, ({ path }) => ({ contents: sourceOf(path) }));
    build.onLoad({ filter: /^/, namespace: LOADS_MORE }, ({ path }) => {
      const [module = '', name = ''] = path.split('#');
      return { contents: `export const ${name} = process.getBuiltinModule('${module}').${name};` };
    });
  },
};

/** A name that nobody imports is left out by esbuild, as nothing depends on its being read. */
function sourceOf(module: string): string {
  const described = Object.getOwnPropertyDescriptors(requireFrom(module) as object);
  const named = Object.entries(described).filter(([name]) => IDENTIFIER.test(name) && name !== 'default');
  const isLater = LATER.includes(module);
  /** What `promisify` makes something else of than a call with a callback is not passed on, but loaded. */
  const isCall = (name: string): boolean => {
    const value: unknown = described[name]?.value;
    return isLater && /^[a-z]/.test(name) && typeof value === 'function' && !(promisify.custom in value);
  };
  const calls = named.filter(([name]) => isCall(name)).map(([name]) => name);
  const apart = named
    .filter(([name, { get }]) => get !== undefined || (isLater && !isCall(name)))
    .map(([name]) => name);
  const plain = named.map(([name]) => name).filter((name) => !calls.includes(name) && !apart.includes(name));
  const lines = [
    ...plain.map((name) => `const its_${name} = /* @__PURE__ */ (() => it.${name})();`),
    ...calls.map((name) => `const its_${name} = (...args) => (it ??= ${got(module)}).${name}(...args);`),
    `export { ${[...plain, ...calls].map((name) => `its_${name} as ${name}`).join(', ')} };`,
    ...apart.map((name) => `export { ${name} } from '${LOADS_MORE}:${module}#${name}';`),
  ];
  if (isLater) {
    const whole = `export default new Proxy({}, { get: (_, name) => (it ??= ${got(module)})[name] });`;
    return ['let it;', ...lines, whole].join('\n');
  }
  return [`const it = /* @__PURE__ */ ${got(module)};`, ...lines, 'export default it;'].join('\n');
}

const got = (module: string): string => `process.getBuiltinModule('${module}')`;
