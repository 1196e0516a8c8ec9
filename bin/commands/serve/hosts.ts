// Hosts that a server listens on, as a person says them.

export const LOOPBACK = /^(127\.\d+\.\d+\.\d+|::1|localhost)$/;

/** As it stands in a URL. */
export const hostOf = (host: string): string => (host.includes(':') ? `[${host}]` : host);
