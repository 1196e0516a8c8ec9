// The mutants of a file: small changes of its meaning that some test should notice. Only code inside functions is changed, so that every mutant can be
// switched on and off in a process that has the file loaded. What guards against the impossible (`assert`) and what makes errors is left alone.
import { parseSync } from 'oxc-parser';
import type { SyntaxNode } from '../check/syntax.ts';

/** One piece of the file and what it is replaced by; both are expressions, or (`isEntry`) the beginning of a function's body. */
export interface Mutant {
  readonly index: number;
  readonly operator: string;
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
  readonly isEntry: boolean;
  readonly line: number;
}

type Change = readonly [operator: string, replacement: string];

const FUNCTIONS = ['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression'];
const SWAPPED: ReadonlyMap<string, string> = new Map([
  ['===', '!=='],
  ['!==', '==='],
  ['<', '<='],
  ['<=', '<'],
  ['>', '>='],
  ['>=', '>'],
  ['+', '-'],
  ['-', '+'],
  ['*', '/'],
  ['/', '*'],
  ['%', '*'],
  ['+=', '-='],
  ['-=', '+='],
  ['min', 'max'],
  ['max', 'min'],
  ['some', 'every'],
  ['every', 'some'],
]);
/** Calls that are over when what they are given has been called. */
const AT_ONCE = ['map', 'flatMap', 'filter', 'from', 'reduce', 'sort', 'toSorted', 'some', 'every'];
const LEFT_OUT = ['filter', 'toSorted', 'toReversed'];
/** Object literals whose every entry matters: what a write sets. */
const SETS = ['set', 'attributes'];
/** Arrays whose every entry matters, even if it is a plain name. */
const LISTS = ['remove', 'if'];

const isNode = (value: unknown): value is SyntaxNode => typeof value === 'object' && value !== null && 'type' in value;
const nodes = (value: unknown): SyntaxNode[] => (Array.isArray(value) ? value.filter(isNode) : []);

export class MutantFinder {
  readonly #text: string;
  readonly #found: Mutant[] = [];
  #line = 1;
  #lineAt = 0;

  constructor(text: string) {
    this.#text = text;
  }

  find(): readonly Mutant[] {
    this.#walk(parseSync('file.ts', this.#text).program as unknown as SyntaxNode, undefined, 0);
    return this.#found;
  }

  #isCalledAtOnce(parent: SyntaxNode | undefined): boolean {
    const callee = parent?.type === 'CallExpression' ? parent['callee'] : undefined;
    return isNode(callee) && callee.type === 'MemberExpression' && AT_ONCE.includes(this.#of(callee['property']));
  }

  #of(node: unknown): string {
    return isNode(node) ? this.#text.slice(node.start, node.end) : '';
  }

  #walk(node: SyntaxNode, parent: SyntaxNode | undefined, depth: number): void {
    if (isLeftAlone(node, parent)) return;
    const isFunction = FUNCTIONS.includes(node.type);
    if (depth > 0)
      for (const [operator, replacement] of this.#changes(node, parent)) this.#add(node, operator, replacement);
    const isLoading = isFunction && depth === 0 && this.#isCalledAtOnce(parent);
    if (isFunction && !isLoading && isNode(node['body']) && this.#canReturnAtOnce(node['body']))
      this.#add(node['body'], 'return', '');
    // What is given to such a call while the module is loaded is over when it is, whatever mutant is switched on later.
    for (const child of childrenOf(node)) this.#walk(child, node, depth + (isFunction && !isLoading ? 1 : 0));
  }

  #add({ start, end }: SyntaxNode, operator: string, replacement: string): void {
    // Parents come first, and children in the order of the text: never far back.
    if (start < this.#lineAt) [this.#line, this.#lineAt] = [1, 0];
    this.#line += this.#text.slice(this.#lineAt, start).split('\n').length - 1;
    this.#lineAt = start;
    const isEntry = operator === 'return';
    this.#found.push({ index: this.#found.length, operator, start, end, replacement, isEntry, line: this.#line });
  }

  /** A function that is called for what it does. */
  #canReturnAtOnce(body: SyntaxNode): boolean {
    if (body.type !== 'BlockStatement' || nodes(body['body']).length < 2) return false;
    return !within(body).some(({ type, argument }) => type === 'ReturnStatement' && isNode(argument));
  }

  #changes(node: SyntaxNode, parent: SyntaxNode | undefined): readonly Change[] {
    const isDone = parent?.type === 'ExpressionStatement' && isCall(node);
    const changes = [...(isDone ? [['call', 'undefined'] as const] : []), ...this.#ofNode(node, parent)];
    if (!isTest(node, parent)) return changes;
    const isLoop = parent?.type !== 'IfStatement' && parent?.type !== 'ConditionalExpression';
    return [...changes, ...(isLoop ? [] : [['condition', 'true'] as const]), ['condition', 'false']];
  }

  #ofNode(node: SyntaxNode, parent: SyntaxNode | undefined): readonly Change[] {
    switch (node.type) {
      case 'LogicalExpression':
        return this.#ofLogical(node);
      case 'BinaryExpression':
        return this.#ofBinary(node, isTest(node, parent));
      case 'UnaryExpression':
        return node['operator'] === '!' && !isTest(node, parent) ? [['negation', this.#of(node['argument'])]] : [];
      case 'Literal':
        return ofLiteral(node);
      case 'CallExpression':
        return this.#ofCall(node);
      case 'ArrayExpression':
        return this.#ofArray(node, parent);
      case 'ObjectExpression':
        return SETS.includes(keyOf(parent))
          ? this.#without('entry of a write', nodes(node['properties']), '{', '}')
          : [];
      case 'AssignmentExpression':
      case 'UpdateExpression':
        return this.#ofAssignment(node, parent);
      default:
        return [];
    }
  }

  #ofLogical({ left, right, operator }: SyntaxNode): readonly Change[] {
    const isLookUp = isNode(left) && left.type === 'MemberExpression' && left['computed'] === true;
    if (operator === '??')
      return [['default', this.#of(right)], ...(isLookUp ? [] : [['default', this.#of(left)] as const])];
    return [
      ['clause', this.#of(left)],
      ['clause', this.#of(right)],
    ];
  }

  #ofBinary({ left, right, operator }: SyntaxNode, isCondition: boolean): readonly Change[] {
    const other = SWAPPED.get(String(operator));
    if (other === undefined || !isNode(left) || !isNode(right)) return [];
    const isEquality = operator === '===' || operator === '!==';
    // As a condition it becomes true and false anyway.
    if (isEquality && isCondition) return [];
    if (operator === '+' && [left, right].some((side) => within(side).some(isText))) return [];
    const kind = isEquality ? 'equality' : /[<>]/.test(String(operator)) ? 'boundary' : 'arithmetic';
    return [[kind, `${this.#of(left)} ${other} ${this.#of(right)}`]];
  }

  #ofCall(node: SyntaxNode): readonly Change[] {
    const callee = node['callee'];
    if (!isNode(callee) || callee.type !== 'MemberExpression' || !isNode(callee['property'])) return [];
    const { object, property } = callee;
    const name = this.#of(property);
    if (LEFT_OUT.includes(name) && !this.#of(callee).includes('?.')) return [['whole list', this.#of(object)]];
    const other = SWAPPED.get(name);
    if (other === undefined || callee['computed'] === true || this.#of(node).includes('?.')) return [];
    const rest = this.#text.slice((property as SyntaxNode).end, node.end);
    return [['method', `${this.#text.slice(node.start, (property as SyntaxNode).start)}${other}${rest}`]];
  }

  #ofArray(node: SyntaxNode, parent: SyntaxNode | undefined): readonly Change[] {
    const elements = nodes(node['elements']);
    const isList = LISTS.includes(keyOf(parent));
    if (!isList && elements.every(({ type }) => type === 'Literal')) return [];
    return this.#without('element', elements, '[', ']');
  }

  #without(operator: string, entries: readonly SyntaxNode[], open: string, close: string): readonly Change[] {
    const rest = (left: SyntaxNode): string =>
      entries
        .filter((entry) => entry !== left)
        .map((entry) => this.#of(entry))
        .join(', ');
    return entries.map((entry) => [operator, `${open}${rest(entry)}${close}`]);
  }

  #ofAssignment(node: SyntaxNode, parent: SyntaxNode | undefined): readonly Change[] {
    const isStatement = parent?.type === 'ExpressionStatement';
    const other = SWAPPED.get(String(node['operator']));
    return [
      ...(isStatement ? [['assignment', 'undefined'] as const] : []),
      ...(other === undefined
        ? []
        : [['arithmetic', `${this.#of(node['left'])} ${other} ${this.#of(node['right'])}`] as const]),
    ];
  }
}

/** In the order of the text; types are none. */
export function childrenOf(node: SyntaxNode): readonly SyntaxNode[] {
  const children = Object.values(node).flatMap((value) =>
    Array.isArray(value) ? nodes(value) : isNode(value) ? [value] : [],
  );
  return children.filter(({ type }) => !type.startsWith('TS') || isOnlyTyped(type)).sort((a, b) => a.start - b.start);
}

const isOnlyTyped = (type: string): boolean =>
  ['TSAsExpression', 'TSNonNullExpression', 'TSSatisfiesExpression'].includes(type);

/** The node and what is in it, but not in functions of its own. */
function within(node: SyntaxNode): readonly SyntaxNode[] {
  return [node, ...childrenOf(node).flatMap((child) => (FUNCTIONS.includes(child.type) ? [] : within(child)))];
}

function isLeftAlone(node: SyntaxNode, parent: SyntaxNode | undefined): boolean {
  if (node.type === 'NewExpression') return isNode(node['callee']) && /Error$/.test(String(node['callee']['name']));
  if (node.type === 'CallExpression') return isNode(node['callee']) && /^assert/.test(String(node['callee']['name']));
  if (node.type === 'ImportDeclaration' || node.type === 'TemplateElement') return true;
  const isKey = parent?.['key'] === node && parent['computed'] !== true;
  return isKey || (parent?.type === 'AssignmentExpression' && parent['left'] === node);
}

function isTest(node: SyntaxNode, parent: SyntaxNode | undefined): boolean {
  return parent?.['test'] === node && node.type !== 'Literal' && parent.type !== 'SwitchCase';
}

function isCall(node: SyntaxNode): boolean {
  const awaited = node.type === 'AwaitExpression' ? node['argument'] : node;
  const call = isNode(awaited) && awaited.type === 'ChainExpression' ? awaited['expression'] : awaited;
  if (!isNode(call) || call.type !== 'CallExpression' || !isNode(call['callee'])) return false;
  return call['callee'].type !== 'Super' && !/^assert/.test(String(call['callee']['name']));
}

function isText(node: SyntaxNode): boolean {
  return node.type === 'TemplateLiteral' || (node.type === 'Literal' && typeof node['value'] === 'string');
}

function ofLiteral({ value }: SyntaxNode): readonly Change[] {
  if (value === true || value === false) return [['constant', String(!value)]];
  return value === 0 || value === 1 ? [['constant', String(1 - value)]] : [];
}

function keyOf(parent: SyntaxNode | undefined): string {
  return parent?.type === 'Property' && isNode(parent['key']) ? String(parent['key']['name']) : '';
}

export const mutantsOf = (text: string): readonly Mutant[] => new MutantFinder(text).find();

/** Names of a mutant that stay when lines move: where it is in words, and what becomes of it. */
export function nameOf(text: string, { start, end, operator, replacement }: Mutant): string {
  const short = (code: string): string => {
    const line = code.replace(/\s+/g, ' ');
    return line.length > 70 ? `${line.slice(0, 45)}…${line.slice(-24)}` : line;
  };
  return `${operator}: ${short(text.slice(start, end))} -> ${operator === 'return' ? 'return' : short(replacement)}`;
}
