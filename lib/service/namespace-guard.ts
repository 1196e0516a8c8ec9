// Lets those through whom a namespace names, or everybody if it names nobody. What a namespace says is asked for again
// after a while, so a change holds within that time in every process.

import type { Clock } from '../foundation/clock.ts';
import { denied } from '../foundation/errors.ts';
import { LruCache } from '../foundation/lru.ts';
import { checkNamespace } from '../frontend/object-keys.ts';
import { NAMESPACE_RULES_MS, NAMESPACES_KNOWN_MAX } from '../limits/stage.ts';
import type { Panda } from '../panda/panda.ts';
import { type NamespaceRules, namespaceFromRow, namespaceKey } from '../panda/rows/namespace-row.ts';
import { type Caller, isNamed } from '../settings/principals.ts';

interface Known {
  readonly rules: Promise<NamespaceRules>;
  readonly untilMs: number;
}

export class NamespaceGuard {
  readonly #panda: Panda;
  readonly #clock: Clock;
  readonly #known = new LruCache<string, Known>(NAMESPACES_KNOWN_MAX);

  constructor({ panda, clock }: { readonly panda: Panda; readonly clock: Clock }) {
    this.#panda = panda;
    this.#clock = clock;
  }

  /** Throws `denied` NAMESPACE_DENIED, `invalid` NAMESPACE_INVALID, `corrupt` if what it says cannot be read. */
  async admit(namespace: string, right: 'read' | 'write', caller: Caller): Promise<void> {
    const { principals } = await this.#rulesOf(checkNamespace(namespace));
    if (principals === undefined || isNamed(principals[right], caller)) return;
    const who = caller ?? 'a direct lambda:Invoke, which does not say who calls,';
    throw denied('NAMESPACE_DENIED', `${who} may not ${right} namespace ${namespace}`);
  }

  #rulesOf(namespace: string): Promise<NamespaceRules> {
    const nowMs = this.#clock.monotonicMs();
    const known = this.#known.get(namespace);
    if (known !== undefined && nowMs < known.untilMs) return known.rules;
    const rules = this.#read(namespace);
    this.#known.set(namespace, { rules, untilMs: nowMs + NAMESPACE_RULES_MS });
    // A failure is not kept.
    rules.catch(() => this.#known.delete(namespace));
    return rules;
  }

  async #read(namespace: string): Promise<NamespaceRules> {
    const row = await this.#panda.get(namespaceKey(namespace));
    return row === undefined ? {} : namespaceFromRow(row).rules;
  }
}
