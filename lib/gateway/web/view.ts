// What every page is made from: the store's use cases, what was read of them a moment ago, and what is under way.
import type { StoreAdmin } from '../../client/admin.ts';
import type { DrivesReport } from '../../engine/drives/list-drives.ts';
import type { Status } from '../../engine/status/status.ts';
import type { HistoryDay } from '../../engine/upkeep/history.ts';
import type { Clock } from '../../foundation/clock.ts';
import { LruCache } from '../../foundation/lru.ts';
import type { Randomness } from '../../foundation/randomness.ts';
import { NOTICES_KEPT, PLANS_KEPT } from '../../limits/web.ts';
import type { GatewayAnswer } from '../exchange.ts';
import type { OpenGateway } from '../open-gateway.ts';
import { Guard } from './guard.ts';
import { Job } from './job.ts';
import { Look } from './looks.ts';

export interface WebParts {
  readonly address: string;
  /** The one that the CLI puts into. */
  readonly namespace: string;
  readonly admin: StoreAdmin;
  readonly open: Pick<OpenGateway, 'objects' | 'buckets' | 'keys' | 'anybody'>;
  readonly clock: Clock;
  readonly randomness: Randomness;
  /** Undefined: whoever is on this machine may see it. */
  readonly token?: string | undefined;
  readonly isTls?: boolean;
  /** docs/operations.md; undefined where it is not there. */
  readonly operations?: () => Promise<string | undefined>;
  /** Of errors that nobody expected: pages say that the log has them. */
  readonly onInternal: (error: unknown) => void;
  /** The server stops. */
  readonly signal: AbortSignal;
}

export interface Notice {
  readonly isGood: boolean;
  readonly text: string;
}

export class View {
  readonly parts: WebParts;
  readonly guard: Guard;
  readonly job: Job;
  readonly status: Look<Status>;
  readonly drives: Look<DrivesReport>;
  readonly history: Look<readonly HistoryDay[]>;
  /** Plans that were shown, as they would be carried out, by their digest. */
  readonly plans = new LruCache<string, string>(PLANS_KEPT);
  readonly #notices = new LruCache<string, Notice>(NOTICES_KEPT);
  #noticed = 0;

  constructor(parts: WebParts) {
    const { admin, clock, randomness, token } = parts;
    this.parts = parts;
    this.guard = new Guard({ token, clock, randomness });
    this.status = new Look(() => admin.status(), clock);
    this.drives = new Look(() => admin.drives(), clock);
    this.history = new Look(() => admin.history(), clock);
    this.job = new Job(parts, () => this.changed());
  }

  /** What is shown next is read anew. */
  changed(): void {
    this.status.forget();
    this.drives.forget();
    this.history.forget();
  }

  /** To another page, which says this once. */
  goTo(place: string, isGood: boolean, text: string): GatewayAnswer {
    this.#noticed += 1;
    const id = String(this.#noticed);
    this.#notices.set(id, { isGood, text });
    const location = `${place}${place.includes('?') ? '&' : '?'}said=${id}`;
    return { status: 303, headers: { location } };
  }

  notice(id: string | null): Notice | undefined {
    const notice = id === null ? undefined : this.#notices.get(id);
    if (id !== null) this.#notices.delete(id);
    return notice;
  }
}

/** A request of a page: what is in its address, or in the form that was sent. */
export interface WebCall {
  readonly view: View;
  readonly query: URLSearchParams;
}
