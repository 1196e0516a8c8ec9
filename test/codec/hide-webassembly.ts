// Imported first by runtime-child.ts: takes WebAssembly away if asked to. (V8's own flag for that also stops Node from reading
// TypeScript.)
if (process.argv.includes('hide-webassembly')) Reflect.deleteProperty(globalThis, 'WebAssembly');
