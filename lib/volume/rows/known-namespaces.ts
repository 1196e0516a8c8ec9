// What namespaces say, as a process knows it: it is asked for again after a while, so a change holds within that time
// everywhere.
import type { Clock } from '../../foundation/clock.ts';
import { LruCache } from '../../foundation/lru.ts';
import { NAMESPACE_RULES_MS, NAMESPACES_KNOWN_MAX } from '../../limits/stage.ts';
import type { Panda } from '../../panda/panda.ts';
import { type NamespaceRules, namespaceFromRow, namespaceKey } from '../../panda/rows/namespace-row.ts';

interface Known {
  readonly rules: Promise<NamespaceRules>;
  readonly untilMs: number;
}

export class KnownNamespaces {
  readonly #panda: Panda;
  readonly #clock: Clock;
  readonly #known = new LruCache<string, Known>(NAMESPACES_KNOWN_MAX);

  constructor({ panda, clock }: { readonly panda: Panda; readonly clock: Clock }) {
    this.#panda = panda;
    this.#clock = clock;
  }

  /** Throws `corrupt` if what it says cannot be read. */
  async rulesOf(namespace: string): Promise<NamespaceRules> {
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
