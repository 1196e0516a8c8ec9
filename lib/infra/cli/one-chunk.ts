// What every command loads, in one file: esbuild cuts shared code into a chunk for each set of dynamic imports that
// reach it, and each of the twenty that a short command needs takes a millisecond to find, to read and to link.
import { basename } from 'node:path';
import { type BuildOptions, type BuildResult, build, type Plugin } from 'esbuild';

type Chunks = BuildResult<{ metafile: true; write: false }>;

const NAMESPACE = 'chunk';
const FROM_CHUNK = /import(?:\{([^}]*)\}from)?"\.\/([\w.-]+\.mjs)";?/y;

/**
 * The files of one build that cut, by name: what `entry`, and the dynamic imports with names in `joined`, need
 * statically is put into the file of `entry`, and the others get it from there.
 */
export async function joinChunks(
  chunks: Chunks,
  entry: string,
  joined: readonly string[],
  options: BuildOptions,
): Promise<Map<string, string>> {
  const texts = new Map(chunks.outputFiles.map(({ path, text }) => [basename(path), text]));
  const outputs = new Map(Object.entries(chunks.metafile.outputs).map(([path, output]) => [basename(path), output]));
  const heads = [...outputs].filter(([, { entryPoint = '' }]) => joined.includes(entryPoint)).map(([name]) => name);
  const members = [...closure(outputs, [entry, ...heads])];
  const prefixes = new Map(members.map((name, i) => [name, name === entry ? '' : `in${i}_`]));
  const reexported = members.map((name) => {
    const names = (outputs.get(name)?.exports ?? []).map((each) => `${each} as ${prefixes.get(name)}${each}`);
    return names.length === 0 ? `import './${name}';` : `export { ${names.join(', ')} } from './${name}';`;
  });
  const { outputFiles } = await build({
    ...options,
    stdin: { contents: reexported.join('\n'), resolveDir: '/' },
    banner: {},
    plugins: [membersOf(texts)],
    bundle: true,
    splitting: false,
    metafile: false,
    write: false,
  });
  const files = new Map([[entry, outputFiles[0]?.text ?? '']]);
  for (const [name, text] of texts)
    if (!prefixes.has(name)) files.set(name, redirected(text, entry, prefixes));
    else if (heads.includes(name)) files.set(name, facade(outputs.get(name)?.exports ?? [], entry, prefixes.get(name)));
  return files;
}

function closure(outputs: ReadonlyMap<string, { imports: { path: string; kind: string }[] }>, from: string[]) {
  const seen = new Set<string>();
  const wanted = [...from];
  for (let name = wanted.pop(); name !== undefined; name = wanted.pop()) {
    if (seen.has(name)) continue;
    seen.add(name);
    for (const { path, kind } of outputs.get(name)?.imports ?? [])
      if (kind === 'import-statement' && outputs.has(basename(path))) wanted.push(basename(path));
  }
  return seen;
}

const membersOf = (texts: ReadonlyMap<string, string>): Plugin => ({
  name: NAMESPACE,
  setup(build) {
    build.onResolve({ filter: /^/ }, ({ path, kind }) =>
      kind === 'import-statement' && texts.has(basename(path))
        ? { path: basename(path), namespace: NAMESPACE }
        : { path, external: true },
    );
    build.onLoad({ filter: /^/, namespace: NAMESPACE }, ({ path }) => ({ contents: texts.get(path) ?? '' }));
  },
});

/** Its imports stand first, behind the banner's line. */
function redirected(text: string, entry: string, prefixes: ReadonlyMap<string, string>): string {
  const at = text.indexOf('\n') + 1;
  const statements: string[] = [];
  let end = at;
  for (;;) {
    FROM_CHUNK.lastIndex = end;
    const [statement, names, name = ''] = FROM_CHUNK.exec(text) ?? [];
    if (statement === undefined) break;
    end += statement.length;
    const prefix = prefixes.get(name);
    if (prefix === undefined) statements.push(statement.endsWith(';') ? statement : `${statement};`);
    else if (names === undefined) statements.push(`import"./${entry}";`);
    else statements.push(`import{${names.split(',').map((each) => prefixed(each, prefix))}}from"./${entry}";`);
  }
  return text.slice(0, at) + statements.join('') + text.slice(end);
}

/** Of an import, `a` or `a as b`: the name that is left is another's, the one that is right stays. */
function prefixed(specifier: string, prefix: string): string {
  const [theirs = '', ours = theirs] = specifier.split(' as ');
  return `${prefix}${theirs} as ${ours}`;
}

const facade = (names: readonly string[], entry: string, prefix = ''): string =>
  `export{${names.map((name) => `${prefix}${name} as ${name}`).join(',')}}from"./${entry}";\n`;
