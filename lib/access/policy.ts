// What an access key may do: rules that grant rights on an S3 bucket below a prefix. What no rule grants is denied.
import { invalid } from '../foundation/errors.ts';
import type { Right } from '../s3/request/operation.ts';

export const RIGHTS = ['read', 'write', 'delete', 'list', 'manage'] as const satisfies readonly Right[];

export interface Rule {
  readonly rights: readonly Right[];
  /** A name, or `*` for any. */
  readonly bucket: string;
  /** Of keys as they are, decoded. Empty: all of them. */
  readonly prefix: string;
}

/**
 * Whether one of the rules grants it. Without a key: on the whole bucket, or, to list, on keys that begin with
 * `prefix`.
 */
export function isGranted(
  rules: readonly Rule[],
  right: Right,
  on: { readonly bucket: string; readonly key?: string | undefined; readonly prefix?: string | undefined },
): boolean {
  const name = on.key ?? on.prefix ?? '';
  return rules.some((rule) => rule.rights.includes(right) && isOn(rule, on.bucket) && name.startsWith(rule.prefix));
}

/** Whether a rule grants anything on a bucket: then its name may be known. */
export const knowsBucket = (rules: readonly Rule[], name: string): boolean => rules.some((rule) => isOn(rule, name));

const isOn = ({ bucket }: Rule, name: string): boolean => bucket === '*' || bucket === name;

/**
 * `RIGHTS:BUCKET/PREFIX`: rights apart by commas, or `all`; everything behind them may be missing. Throws `invalid`
 * RULE_INVALID.
 */
export function parseRule(text: string): Rule {
  const at = text.indexOf(':');
  const names = (at < 0 ? text : text.slice(0, at)).split(',').map((name) => name.trim());
  const place = at < 0 ? '*' : text.slice(at + 1);
  const slash = place.indexOf('/');
  const bucket = slash < 0 ? place : place.slice(0, slash);
  const rights = names.includes('all') ? [...RIGHTS] : RIGHTS.filter((right) => names.includes(right));
  const unknown = names.filter((name) => name !== 'all' && !RIGHTS.some((right) => right === name));
  if (unknown.length > 0 || rights.length === 0 || !/^(\*|[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])$/.test(bucket))
    throw invalid(
      'RULE_INVALID',
      `"${text.slice(0, 80)}": a rule is RIGHTS:BUCKET/PREFIX with rights of ${RIGHTS.join(', ')} or all, such as read,list:photos/2024/`,
    );
  return { rights, bucket, prefix: slash < 0 ? '' : place.slice(slash + 1) };
}

export const ruleText = ({ rights, bucket, prefix }: Rule): string =>
  `${rights.length === RIGHTS.length ? 'all' : rights.join(',')}:${bucket}${prefix === '' ? '' : `/${prefix}`}`;
