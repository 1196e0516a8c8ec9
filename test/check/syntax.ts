// A walk over a syntax tree that knows no kinds of nodes: whatever has a `type` is one.

export interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

export const isNode = (value: unknown): value is SyntaxNode =>
  typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';

/** Every node below and including `root`, parents first. */
export function* nodesOf(root: unknown): Generator<SyntaxNode> {
  const waiting: unknown[] = [root];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (Array.isArray(next)) waiting.push(...next.toReversed().filter((item) => item !== null && item !== undefined));
    else if (isNode(next)) {
      yield next;
      for (const child of Object.values(next).toReversed()) {
        if (typeof child === 'object' && child !== null) waiting.push(child);
      }
    }
  }
}

const nameOf = (node: unknown): string | undefined =>
  isNode(node) && node.type === 'Identifier' ? String(node['name']) : undefined;

/** `a.b` or `a['b']` as `a.b`, and a plain name as itself. */
export function dottedName(node: unknown): string | undefined {
  if (!isNode(node)) return undefined;
  if (node.type !== 'MemberExpression') return nameOf(node);
  const object = dottedName(node['object']);
  const property = node['property'];
  const key = node['computed'] === true ? isNode(property) && property['value'] : nameOf(property);
  return object === undefined || typeof key !== 'string' ? undefined : `${object}.${key}`;
}
