// Which namespaces and object keys are taken. A key that names a file is also a relative path, so nothing that climbs
// or hides is let in there; over S3 any key is taken, and what is no path cannot be written to files.
import { invalid } from '../foundation/errors.ts';
import { METADATA_BYTES_MAX, OBJECT_KEY_BYTES_MAX, SYSTEM_BYTES_MAX } from '../limits/frontend.ts';
import { isNamespaceName } from '../panda/rows/namespace-row.ts';

/** Before the name of a namespace of the gateway's, which no client can name. */
const GATEWAYS_OWN = '+';
const SHOWN_CHARACTERS = 60;

/** A name in an error line: short, and without control characters. */
export function shown(name: string): string {
  const safe = name.replace(/\p{C}/gu, '\ufffd');
  return safe.length > SHOWN_CHARACTERS ? `${safe.slice(0, SHOWN_CHARACTERS)}…` : safe;
}

export function checkNamespace(namespace: string): string {
  if (!isNamespaceName(namespace.startsWith(GATEWAYS_OWN) ? namespace.slice(GATEWAYS_OWN.length) : namespace))
    throw invalid(
      'NAMESPACE_INVALID',
      `namespace "${shown(namespace)}": 1 to 63 of a-z, 0-9, - and ., beginning with a letter or digit`,
    );
  return namespace;
}

/** Throws `invalid` NAME_EMPTY, NAME_TOO_LONG or NAME_INVALID. */
export function checkKey(key: string): string {
  if (key === '') throw invalid('NAME_EMPTY', 'a name must not be empty');
  const bytes = Buffer.byteLength(key);
  if (bytes > OBJECT_KEY_BYTES_MAX)
    throw invalid(
      'NAME_TOO_LONG',
      `"${shown(key)}": ${bytes} bytes of UTF-8, at most ${OBJECT_KEY_BYTES_MAX} are allowed`,
    );
  if (key.includes('\0')) throw invalid('NAME_INVALID', `"${shown(key)}": a name must not contain NUL`);
  if (!key.isWellFormed()) throw invalid('NAME_INVALID', `"${shown(key)}": a name must be valid Unicode`);
  return key;
}

/** A key that can be a path below a folder. Throws the same. */
export function checkPathKey(key: string): string {
  checkKey(key);
  for (const segment of key.split('/')) {
    if (segment === '..' || segment === '.')
      throw invalid('NAME_INVALID', `"${shown(key)}": a name must not contain "${segment}"`);
    if (segment === '')
      throw invalid('NAME_INVALID', `"${shown(key)}": a name must not begin or end with "/" or contain "//"`);
  }
  return key;
}

export function checkMetadata(metadata: string | undefined): void {
  if (metadata !== undefined && Buffer.byteLength(metadata) > METADATA_BYTES_MAX)
    throw invalid('METADATA_TOO_LONG', `metadata of more than ${METADATA_BYTES_MAX} bytes`);
}

/** Throws `invalid` SYSTEM_TOO_LONG. */
export function checkSystem(system: string | undefined): void {
  if (system !== undefined && Buffer.byteLength(system) > SYSTEM_BYTES_MAX)
    throw invalid('SYSTEM_TOO_LONG', `headers, metadata and tags of more than ${SYSTEM_BYTES_MAX} bytes`);
}

/** The smallest string, by UTF-8 bytes, above every string that begins with `prefix`; undefined if there is none. */
export function afterPrefix(prefix: string): string | undefined {
  const points = [...prefix].map((character) => character.codePointAt(0) as number);
  while (points.length > 0) {
    const last = points.pop() as number;
    if (last === 0x10ffff) continue;
    points.push(last === 0xd7ff ? 0xe000 : last + 1);
    return String.fromCodePoint(...points);
  }
  return undefined;
}
