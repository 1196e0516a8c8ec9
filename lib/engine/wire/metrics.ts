// The metrics port: a handful of gauges at a time. What is not known is not put.
export interface MetricsPort {
  put(gauges: Readonly<Record<string, number>>): Promise<void>;
}
