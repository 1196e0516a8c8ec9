// Which principals may read or write a namespace, and among what its content is stored once, as an operator says it.

import { conflict, isKind } from '../../foundation/errors.ts';
import { checkNamespace } from '../../frontend/object-keys.ts';
import { OPERATING_ATTEMPTS_MAX } from '../../limits/compaction.ts';
import {
  type NamespaceRow,
  type NamespaceRules,
  namespaceFromRow,
  namespaceKey,
  namespacePartition,
  putNamespace,
} from '../../panda/rows/namespace-row.ts';
import { checkPrincipals } from '../../settings/principals.ts';
import type { Components } from '../../volume/rows/components.ts';
import { rowsOf } from '../../volume/rows/read-rows.ts';
import { transact } from '../../volume/rows/transact.ts';

export interface NamespaceChange {
  /** What is not named stays. */
  readonly read?: readonly string[] | undefined;
  readonly write?: readonly string[] | undefined;
  /** Absent: as it is; by default `own` where it names principals. */
  readonly dedup?: 'own' | 'shared' | undefined;
  /** Whoever may call the stage may do everything again. */
  readonly isOpened?: boolean | undefined;
}

/** Those that anybody has said something of, in the order of their names. */
export async function listNamespaceRules({ panda }: Pick<Components, 'panda'>): Promise<NamespaceRow[]> {
  const rows: NamespaceRow[] = [];
  for await (const row of rowsOf(panda, namespacePartition)) rows.push(namespaceFromRow(row));
  return rows;
}

/** Whoever else does so at once. Throws `invalid` NAMESPACE_INVALID, PRINCIPAL_INVALID, `conflict` SETTINGS_CHANGED. */
export async function changeNamespace(
  components: Components,
  name: string,
  change: NamespaceChange,
): Promise<NamespaceRow> {
  checkNamespace(name);
  const [read, write] = [change.read, change.write].map((list) => list && checkPrincipals(list));
  for (let attempt = 0; attempt < OPERATING_ATTEMPTS_MAX; attempt++) {
    const row = await components.panda.get(namespaceKey(name));
    const before = row === undefined ? { version: 0, rules: {} } : namespaceFromRow(row);
    const rules = changed(before.rules, { ...change, read, write });
    const next = { name, version: before.version + 1, rules };
    const isDone = async (): Promise<boolean> => {
      const now = await components.panda.get(namespaceKey(name));
      if (now === undefined) return false;
      const { version, rules: found } = namespaceFromRow(now);
      return version === next.version && JSON.stringify(found) === JSON.stringify(rules);
    };
    try {
      await transact(components, [putNamespace(next, before.version)], isDone);
      return next;
    } catch (error) {
      if (!isKind(error, 'conflict')) throw error;
    }
  }
  throw conflict('SETTINGS_CHANGED', 'others change the namespace at the same time: look at it and set it again');
}

function changed({ principals, ...before }: NamespaceRules, change: NamespaceChange): NamespaceRules {
  const { read, write, dedup, isOpened } = change;
  const rest = dedup === undefined ? before : { dedup };
  if (isOpened) return rest;
  if (read === undefined && write === undefined) return { ...rest, ...(principals && { principals }) };
  const known = principals ?? { read: [], write: [] };
  return { ...rest, principals: { read: [...(read ?? known.read)], write: [...(write ?? known.write)] } };
}
