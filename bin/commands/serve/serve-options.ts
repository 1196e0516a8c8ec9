// What a person may say of the server.
export interface ServeOptions {
  readonly host: string;
  readonly port: number;
  readonly adminHost: string;
  readonly adminPort: number;
  /** A file that holds it. */
  readonly adminToken?: string;
  readonly domain?: readonly string[];
  readonly externalUrl?: string;
  readonly region: string;
  readonly cert?: string;
  readonly key?: string;
  readonly withDaemon?: boolean;
  /** False: --no-daemon. */
  readonly daemon: boolean;
}
