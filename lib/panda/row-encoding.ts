// Attributes as text, for SQLite and for backups: `[1,{…}]`, JSON with the version of the form in front. Strings,
// integers and lists are themselves, bytes are {"b":"base64"}, sets {"s":["…"]}. JSON because the engine's own parser
// beats any decoder written in JavaScript on rows of this size, and because a person can read it. Names and members are
// sorted: equal rows are equal texts.
import { corrupt, type PocketfulError } from '../foundation/errors.ts';
import { ROW_TEXT_CHARACTERS_MAX } from '../limits/panda.ts';
import { isAttributeName } from './attributes.ts';
import type { Attribute, Attributes } from './panda.ts';

const VERSION = 1;
const TEXT_START = `[${VERSION},`;

/** `attributes` must be allowed ones (attributes.ts). */
export function encodeAttributes(attributes: Attributes): string {
  const out: Record<string, unknown> = {};
  for (const name of Object.keys(attributes).sort()) out[name] = encoded(attributes[name] as Attribute);
  return `${TEXT_START}${JSON.stringify(out)}]`;
}

function encoded(value: Attribute): unknown {
  if (typeof value !== 'object' || Array.isArray(value)) return value;
  if (value instanceof Uint8Array)
    return { b: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64') };
  const members = [...(value as ReadonlySet<string>)];
  return members.length === 0 ? undefined : { s: members.sort() }; // JSON leaves out what is undefined
}

const malformed = (why: string, cause?: unknown): PocketfulError =>
  corrupt('ROW_MALFORMED', `a stored row is damaged: ${why}`, cause);

/** The attributes of a text made by encodeAttributes. Throws `corrupt` ROW_MALFORMED for anything else. */
export function decodeAttributes(text: string): Attributes {
  if (text.length > ROW_TEXT_CHARACTERS_MAX) throw malformed(`${text.length} characters`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw malformed('not JSON', cause);
  }
  if (!Array.isArray(parsed) || parsed.length !== 2) throw malformed('not a pair of version and attributes');
  const [version, attributes] = parsed;
  if (version !== VERSION) throw malformed(`version ${JSON.stringify(version)?.slice(0, 20)} is not known`);
  if (!isPlainObject(attributes)) throw malformed('no attributes');
  for (const name of Object.keys(attributes)) {
    if (!isAttributeName(name)) throw malformed('an attribute name that cannot be');
    attributes[name] = decoded(attributes[name]);
  }
  return attributes as Attributes;
}

const isPlainObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function isScalar(value: unknown): value is string | number {
  return typeof value === 'string' ? value.isWellFormed() : Number.isSafeInteger(value);
}

function decoded(value: unknown): Attribute {
  if (isScalar(value)) return value;
  if (Array.isArray(value)) {
    if (!value.every(isScalar)) throw malformed('a list of something else than strings and integers');
    return value;
  }
  if (!isPlainObject(value)) throw malformed('an attribute of no known type');
  const { b, s, ...rest } = value;
  if (Object.keys(rest).length > 0) throw malformed('an attribute of no known type');
  if (typeof b === 'string' && s === undefined) return decodedBytes(b);
  if (Array.isArray(s) && b === undefined) return decodedSet(s);
  throw malformed('an attribute of no known type');
}

/** A plain Uint8Array, not a Buffer: readers must not come to depend on the body they run on. */
function decodedBytes(base64: string): Uint8Array {
  const bytes = Buffer.from(base64, 'base64');
  const padding = base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0;
  // Buffer.from skips what is not base64: a wrong length betrays it.
  if (base64.length % 4 !== 0 || bytes.length !== (base64.length / 4) * 3 - padding) throw malformed('bad base64');
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

function decodedSet(members: readonly unknown[]): ReadonlySet<string> {
  const set = new Set<string>();
  for (const member of members) {
    if (typeof member !== 'string' || member === '' || !member.isWellFormed()) throw malformed('a bad set member');
    set.add(member);
  }
  if (set.size === 0 || set.size !== members.length) throw malformed('a set that is empty or has a member twice');
  return set;
}
