// What namespaces say, as a process knows it: it is asked for again after a while, so a change holds within that time
// everywhere.
import { Believed } from '../../foundation/believed.ts';
import type { Clock } from '../../foundation/clock.ts';
import { NAMESPACE_RULES_MS, NAMESPACES_KNOWN_MAX } from '../../limits/stage.ts';
import type { Panda } from '../../panda/panda.ts';
import { type NamespaceRules, namespaceFromRow, namespaceKey } from '../../panda/rows/namespace-row.ts';

/** By name. Rejects with `corrupt` if what it says cannot be read. */
export type KnownNamespaces = Believed<NamespaceRules>;

export const knownNamespaces = ({ panda, clock }: { readonly panda: Panda; readonly clock: Clock }): KnownNamespaces =>
  new Believed({
    clock,
    forMs: NAMESPACE_RULES_MS,
    keptMax: NAMESPACES_KNOWN_MAX,
    async ask(name) {
      const row = await panda.get(namespaceKey(name));
      return row === undefined ? {} : namespaceFromRow(row).rules;
    },
  });
