// What a server counts, for Prometheus: requests by operation and outcome, how long they took, bytes, and the batches
// of small objects.
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Answered } from './server.ts';

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const OBJECTS = [1, 2, 4, 8, 16, 32, 64, 128, 256];

export interface GaugeSource {
  readonly name: string;
  readonly help: string;
  /** Undefined: not known now. */
  read(): number | undefined | Promise<number | undefined>;
}

export class ServerMetrics {
  readonly #registry = new Registry();
  readonly #requests = new Counter({
    name: 'pocketful_s3_requests_total',
    help: 'Requests by operation and by the code of S3 they were answered with',
    labelNames: ['operation', 'code'],
    registers: [this.#registry],
  });
  readonly #seconds = new Histogram({
    name: 'pocketful_s3_request_seconds',
    help: 'From the head of a request to the end of its answer',
    labelNames: ['operation'],
    buckets: SECONDS,
    registers: [this.#registry],
  });
  readonly #bytes = new Counter({
    name: 'pocketful_s3_bytes_total',
    help: 'Bytes of bodies, as they were said to come and as they went out',
    labelNames: ['direction'],
    registers: [this.#registry],
  });
  readonly #batches = new Histogram({
    name: 'pocketful_s3_batch_objects',
    help: 'Small objects that were stored together',
    buckets: OBJECTS,
    registers: [this.#registry],
  });

  answered({ request, answer, sentBytes, tookMs }: Answered): void {
    const operation = answer.operation ?? 'unknown';
    this.#requests.inc({ operation, code: answer.code ?? String(answer.status) });
    this.#seconds.observe({ operation }, tookMs / 1000);
    this.#bytes.inc({ direction: 'out' }, sentBytes);
    const length = Number(request.headers.get('content-length') ?? 0);
    if (Number.isSafeInteger(length) && length > 0) this.#bytes.inc({ direction: 'in' }, length);
  }

  batch(objects: number): void {
    this.#batches.observe(objects);
  }

  /** Read whenever the metrics are. */
  gauge({ name, help, read }: GaugeSource): void {
    new Gauge({
      name,
      help,
      registers: [this.#registry],
      async collect() {
        const value = await read();
        if (value === undefined) this.remove();
        else this.set(value);
      },
    });
  }

  async text(): Promise<{ readonly type: string; readonly body: string }> {
    return { type: this.#registry.contentType, body: await this.#registry.metrics() };
  }
}
