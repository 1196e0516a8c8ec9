// Bounds stand in lib/limits, each with its unit and its reason, where what must hold between them is asserted when a
// store is opened. A bound anywhere else would be changed without the others.
import { type Fault, faultAt, isCode, parsed, type SourceFile } from './source-file.ts';
import { dottedName, type SyntaxNode } from './syntax.ts';

/** What a bound is called: most, at once, attempts, per transaction, and lengths of time. */
const BOUND = /(^|_)(MAX|ATTEMPTS|TRIES|RETRIES)(_|$)|_AT_ONCE$|_PER_(TRANSACTION|COMMIT|REQUEST)$|_(MS|SECONDS)$/;

/** Numbers that bound nothing the program does. */
const NO_BOUNDS: readonly { readonly path: RegExp; readonly why: string }[] = [
  { path: /^lib\/limits\//, why: 'here they stand' },
  { path: /^lib\/format\//, why: 'the widths of fields: part of the bytes' },
  { path: /^lib\/foundation\/durations\.ts$/, why: 'units of time' },
  { path: /^lib\/infra\/stacks\/idle-stage\.ts$/, why: 'what an idle stage is taken to cost' },
];

export const boundFaults = (files: readonly SourceFile[]): Fault[] =>
  files
    .filter((file) => /^(lib|functions)\//.test(file.path) && isCode(file))
    .filter((file) => !NO_BOUNDS.some(({ path }) => path.test(file.path)))
    .flatMap((file) =>
      constantsOf(file)
        .filter(({ name, value }) => BOUND.test(name) && isNumber(value))
        .map(({ name, at }) => faultAt(file, at, `${name} is a bound: it belongs into lib/limits, with its reason`)),
    );

interface Constant {
  readonly name: string;
  readonly value: unknown;
  readonly at: number;
}

/** Constants of the module itself, exported or not. */
function constantsOf(file: SourceFile): Constant[] {
  const body = parsed(file).program.body as unknown as SyntaxNode[];
  return body.flatMap((statement) => {
    const inner = statement.type === 'ExportNamedDeclaration' ? statement['declaration'] : statement;
    const { type, declarations } = (inner ?? {}) as { type?: string; declarations?: SyntaxNode[] };
    if (type !== 'VariableDeclaration' || declarations === undefined) return [];
    return declarations.map((one) => ({ name: dottedName(one['id']) ?? '', value: one['init'], at: one.start }));
  });
}

/** A literal number, or arithmetic. */
function isNumber(node: unknown): boolean {
  const { type, value, left, right, argument, callee } = (node ?? {}) as Record<string, unknown>;
  if (type === 'Literal') return typeof value === 'number';
  if (type === 'UnaryExpression') return isNumber(argument);
  if (type === 'BinaryExpression') return isNumber(left) || isNumber(right);
  return type === 'Identifier' || (type === 'CallExpression' && dottedName(callee)?.startsWith('Math.') === true);
}
