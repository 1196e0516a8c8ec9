// The stream port: a queue as SQS is one. Messages may come twice and in any order, a lost one is sent again by whoever
// knows the truth; a message that is received too often without being acknowledged goes to the dead letters.

export interface Delivery {
  readonly id: string;
  readonly body: string;
  /** Of this receive: a later one gets another. */
  readonly receipt: string;
  /** How often it was received, this time included. */
  readonly receives: number;
}

export interface DeadLetter {
  readonly id: string;
  readonly body: string;
  readonly receives: number;
}

export interface StreamFigures {
  readonly ready: number;
  /** Received, neither acknowledged nor visible again. */
  readonly inFlight: number;
  /** Of the oldest message that is not dead, as far as it is known; 0 when there is none. */
  readonly oldestAgeMs: number;
  readonly dead: number;
}

/**
 * Errors of every body: `retry` STREAM_BUSY (nothing happened, or it may have: sending again is harmless), `denied`
 * STREAM_DENIED, `missing` STREAM_MISSING.
 */
export interface Stream {
  send(bodies: readonly string[]): Promise<void>;
  /** At most `max` messages that are visible, hidden from others for `visibilityMs`. */
  receive(max: number, visibilityMs: number): Promise<Delivery[]>;
  /** Done with. A receipt that is outdated or unknown is passed over. */
  ack(receipts: readonly string[]): Promise<void>;
  /** Not done: visible again at once. */
  release(receipts: readonly string[]): Promise<void>;
  figures(): Promise<StreamFigures>;
  /** Dead letters, the oldest first. */
  dead(max: number): Promise<DeadLetter[]>;
  /** Puts dead letters (all, or these) back as if they had just been sent. How many. */
  redrive(ids?: readonly string[]): Promise<number>;
  /** Throws these dead letters away for good. How many there were. */
  drop(ids: readonly string[]): Promise<number>;
  close(): Promise<void>;
}
