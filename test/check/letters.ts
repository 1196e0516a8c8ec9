// Attributes of rows have short names, because rows are paid by the kilobyte. Only the module of a row knows them: a file in
// lib/panda, or a file called `…-row.ts` in the room that alone has the row. All others compose what it offers by name.
import { type Fault, faultAt, isCode, parsed, type SourceFile } from './source-file.ts';
import { dottedName, isNode, nodesOf, type SyntaxNode } from './syntax.ts';

const KNOWS_LETTERS = /^lib\/panda\/|(^|[/-])row\.ts$/;
const CHANGES = ['set', 'add', 'remove', 'insert', 'discard', 'attributes'];
/** Of lib/panda/rows/row-reader.ts. */
const READER = /^(optional(String|Count)|(string|count|counts|bytes|list|set|word)In)$/;

/** Attributes named where their row is not. */
export function letterFaults(files: readonly SourceFile[]): Fault[] {
  return files
    .filter((file) => isCode(file) && /^(lib|functions|bin)\//.test(file.path) && !KNOWS_LETTERS.test(file.path))
    .flatMap((file) =>
      [...nodesOf(parsed(file).program)].flatMap((node) => {
        const what = lettersIn(node);
        return what === undefined
          ? []
          : [faultAt(file, node.start, `${what}: the module of the row is to offer it by name`)];
      }),
    );
}

function lettersIn(node: SyntaxNode): string | undefined {
  if (node.type === 'ObjectExpression') return inObject(propertiesOf(node));
  if (node.type === 'MemberExpression' && node['computed'] === true) {
    const object = node['object'];
    const isAttributes =
      isNode(object) && object.type === 'MemberExpression' && dottedName(object['property']) === 'attributes';
    return isAttributes && isNode(node['property']) && typeof node['property']['value'] === 'string'
      ? 'an attribute read by its letter'
      : undefined;
  }
  if (node.type !== 'CallExpression' || !READER.test(dottedName(node['callee']) ?? '')) return undefined;
  const [, name] = node['arguments'] as SyntaxNode[];
  return typeof name?.['value'] === 'string' ? 'an attribute read by its letter' : undefined;
}

/** A clause; or a write, a change or a row whose attributes are written out. */
function inObject(properties: ReadonlyMap<string, SyntaxNode>): string | undefined {
  if (properties.has('attribute')) return 'a condition on a letter';
  const named = CHANGES.find((name) => hasNames(properties.get(name)));
  return named === undefined ? undefined : `${named} with letters`;
}

function hasNames(value: SyntaxNode | undefined): boolean {
  if (value?.type === 'ArrayExpression')
    return (value['elements'] as SyntaxNode[]).some((one) => typeof one['value'] === 'string');
  return value?.type === 'ObjectExpression' && propertiesOf(value).size > 0;
}

function propertiesOf(node: SyntaxNode): Map<string, SyntaxNode> {
  const found = new Map<string, SyntaxNode>();
  for (const property of node['properties'] as SyntaxNode[]) {
    if (property.type !== 'Property' || property['computed'] === true) continue;
    const key = property['key'] as SyntaxNode;
    found.set(String(key['name'] ?? key['value']), property['value'] as SyntaxNode);
  }
  return found;
}
