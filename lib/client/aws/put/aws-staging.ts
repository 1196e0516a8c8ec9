// Sends parts of bulk puts to be staged, a few at once over all that a put has under way.
import { Semaphore } from '../../../foundation/concurrency.ts';
import { REQUESTS_AT_ONCE } from '../../../limits/stage.ts';
import { type RequestOf, toBase64 } from '../../../service/protocol.ts';
import type { FrontendCaller } from '../aws-call.ts';

export type StagedPart = RequestOf<'bulkGather'>['parts'][number];

export class Staging {
  readonly #caller: FrontendCaller;
  readonly #namespace: string;
  readonly #requests = new Semaphore(REQUESTS_AT_ONCE);

  constructor(caller: FrontendCaller, namespace: string) {
    this.#caller = caller;
    this.#namespace = namespace;
  }

  /** Starts sending, and adds what will have been sent to `parts`; waits only while too many are under way. */
  async stage(bytes: Uint8Array, parts: Promise<StagedPart>[]): Promise<void> {
    const give = await this.#requests.acquire();
    const sent = this.#caller
      .call({ op: 'bulkPart', namespace: this.#namespace, body: toBase64(bytes) })
      .then(({ part }) => ({ part, bytes: bytes.byteLength }))
      .finally(give);
    sent.catch(() => {});
    parts.push(sent);
  }
}
