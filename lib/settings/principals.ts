// Who asks, and whether a list of principals names them. IAM names who calls the function's URL; a direct lambda:Invoke
// says nothing of its caller, and is a principal of its own that may be named.
import { invalid } from '../foundation/errors.ts';
import { PRINCIPAL_CHARACTERS_MAX, PRINCIPALS_MAX } from '../limits/stage.ts';

/** Stands for every direct lambda:Invoke. */
export const INVOKE = 'invoke';

/** The ARN that IAM gives of the caller of the URL; undefined: a direct Invoke. */
export type Caller = string | undefined;

const NAMED =
  /^arn:aws[a-z-]*:(?:iam::\d{12}:(?:root|user\/.+|role\/.+)|sts::\d{12}:(?:assumed-role\/[^/]+\/.+|federated-user\/.+))$/;
const ACCOUNT = /^(arn:aws[a-z-]*):iam::(\d{12}):root$/;
const ROLE = /^(arn:aws[a-z-]*):iam::(\d{12}):role\/(?:.*\/)?([^/]+)$/;
const CALLER = /^(arn:aws[a-z-]*):(?:iam|sts)::(\d{12}):(?:assumed-role\/([^/]+)\/)?/;

/**
 * Whether the caller is one of them: itself, a session of its role, or anybody of its account. The ARN of a role's
 * session has no path, and names of roles are there once in an account.
 */
export function isNamed(principals: readonly string[], caller: Caller): boolean {
  if (caller === undefined) return principals.includes(INVOKE);
  const [, partition, account, role] = CALLER.exec(caller) ?? [];
  return principals.some((one) => {
    if (one === caller) return one !== INVOKE;
    const [, ofPartition, ofAccount] = ACCOUNT.exec(one) ?? ROLE.exec(one) ?? [];
    if (ofAccount === undefined || ofPartition !== partition || ofAccount !== account) return false;
    return ACCOUNT.test(one) || (role !== undefined && ROLE.exec(one)?.[3] === role);
  });
}

/** In their order, each once. Throws `invalid` PRINCIPAL_INVALID. */
export function checkPrincipals(texts: readonly string[]): string[] {
  for (const text of texts)
    if (text !== INVOKE && (text.length > PRINCIPAL_CHARACTERS_MAX || !NAMED.test(text)))
      throw invalid(
        'PRINCIPAL_INVALID',
        `"${text.slice(0, 100)}": a principal is the ARN of a user, role, session or account (…:root), or ${INVOKE}`,
      );
  const all = [...new Set(texts)];
  if (all.length > PRINCIPALS_MAX) throw invalid('PRINCIPAL_INVALID', `at most ${PRINCIPALS_MAX} principals are named`);
  return all;
}
