// Whom a list of principals names: the ARN itself, sessions of a role whatever its path, everybody of an account, and direct Invokes by the
// word for them only.
import { describe, expect, it } from 'vitest';
import { PRINCIPALS_MAX } from '../../lib/limits/stage.ts';
import { checkPrincipals, INVOKE, isNamed } from '../../lib/settings/principals.ts';

const IAM = 'arn:aws:iam::111122223333';
const SESSION = 'arn:aws:sts::111122223333:assumed-role/Photos/lambda-1';
const USER = `${IAM}:user/team/alice`;

describe('a principal is named', () => {
  it.each([
    ['itself', [USER], USER],
    ['a session of a role', [`${IAM}:role/Photos`], SESSION],
    ['a session of a role with a path', [`${IAM}:role/service/Photos`], SESSION],
    ['a session alone', [SESSION], SESSION],
    ['a user of an account', [`${IAM}:root`], USER],
    ['a session of an account', [`${IAM}:root`], SESSION],
    ['the root of an account', [`${IAM}:root`], `${IAM}:root`],
    ['one among others', [`${IAM}:user/bob`, USER], USER],
    ['a direct Invoke', [INVOKE], undefined],
  ])('%s', (_, principals, caller) => {
    expect(isNamed(principals, caller)).toBe(true);
  });

  it.each([
    ['by nothing', [], USER],
    ['by another user', [`${IAM}:user/alice`], USER],
    ['by a user called like its role', [`${IAM}:user/Photos`], SESSION],
    ['by a role that its own begins with', [`${IAM}:role/Photo`], SESSION],
    ['by a role of another account', ['arn:aws:iam::999999999999:role/Photos'], SESSION],
    ['by a role of another partition', ['arn:aws-cn:iam::111122223333:role/Photos'], SESSION],
    ['by another account', ['arn:aws:iam::999999999999:root'], USER],
    ['by another session', [SESSION], `${SESSION}2`],
    ['a user by a role', [`${IAM}:role/alice`], USER],
    ['a direct Invoke by an account', [`${IAM}:root`], undefined],
    ['whom IAM does not name', [INVOKE, `${IAM}:root`], ''],
    ['who calls itself invoke', [INVOKE], INVOKE],
  ])('not %s', (_, principals, caller) => {
    expect(isNamed(principals, caller)).toBe(false);
  });
});

describe('a list of principals', () => {
  it('has each once, in its order', () => {
    expect(checkPrincipals([USER, INVOKE, USER])).toEqual([USER, INVOKE]);
  });

  it.each(['', '*', 'alice', 'arn:aws:s3:::bucket', 'arn:aws:iam::1:root', `${IAM}:group/all`, `${IAM}:role/`])(
    'refuses "%s"',
    (text) => {
      expect(() => checkPrincipals([text])).toThrow('a principal is');
    },
  );

  it('has a bound', () => {
    const users = Array.from({ length: PRINCIPALS_MAX }, (_, i) => `${IAM}:user/${i}`);
    expect(checkPrincipals(users)).toHaveLength(PRINCIPALS_MAX);
    expect(() => checkPrincipals([...users, USER])).toThrow('at most');
  });
});
