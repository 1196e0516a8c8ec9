// Lets those through whom a namespace names, or everybody if it names nobody.
import { denied } from '../foundation/errors.ts';
import { checkNamespace } from '../frontend/object-keys.ts';
import { type Caller, isNamed } from '../settings/principals.ts';
import type { KnownNamespaces } from '../volume/rows/known-namespaces.ts';

/** Throws `denied` NAMESPACE_DENIED, `invalid` NAMESPACE_INVALID, `corrupt` if what it says cannot be read. */
export async function admit(
  known: KnownNamespaces,
  namespace: string,
  right: 'read' | 'write',
  caller: Caller,
): Promise<void> {
  const { principals } = await known.of(checkNamespace(namespace));
  if (principals === undefined || isNamed(principals[right], caller)) return;
  const who = caller ?? 'a direct lambda:Invoke, which does not say who calls,';
  throw denied('NAMESPACE_DENIED', `${who} may not ${right} namespace ${namespace}`);
}
