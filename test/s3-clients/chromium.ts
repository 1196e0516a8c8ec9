// A real Chromium by its DevTools protocol, over its own WebSocket: no driver in between. Debian's, or what
// POCKETFUL_CHROMIUM says.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const PROGRAM = process.env['POCKETFUL_CHROMIUM'] ?? 'chromium';
const FLAGS = [
  '--headless=new',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--hide-scrollbars',
  '--no-first-run',
];
const WAIT_MS = 60_000;

type Result = Readonly<Record<string, unknown>>;

interface Said {
  readonly id?: number;
  readonly method?: string;
  readonly sessionId?: string;
  readonly params?: Result;
  readonly result?: Result;
  readonly error?: { readonly message: string };
}

export class Chromium {
  readonly #child: ChildProcess;
  readonly #socket: WebSocket;
  readonly #profile: string;
  readonly #waiting = new Map<number, { resolve: (result: Result) => void; reject: (error: Error) => void }>();
  readonly #listeners = new Set<(said: Said) => void>();
  #asked = 0;

  private constructor(child: ChildProcess, socket: WebSocket, profile: string) {
    this.#child = child;
    this.#socket = socket;
    this.#profile = profile;
    socket.addEventListener('message', ({ data }) => this.#heard(JSON.parse(String(data)) as Said));
  }

  static async start(): Promise<Chromium> {
    const profile = mkdtempSync(join(tmpdir(), 'pocketful-chromium-'));
    const child = spawn(PROGRAM, [...FLAGS, `--user-data-dir=${profile}`, '--remote-debugging-port=0', 'about:blank'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const address = await new Promise<string>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code) => reject(new Error(`${PROGRAM} ended with ${code}`)));
      createInterface({ input: child.stderr as NodeJS.ReadableStream }).on('line', (line) => {
        const found = /^DevTools listening on (ws:\S+)/.exec(line)?.[1];
        if (found !== undefined) resolve(found);
      });
    });
    const socket = new WebSocket(address);
    await once(socket, 'open');
    return new Chromium(child, socket, profile);
  }

  #heard(said: Said): void {
    const asked = this.#waiting.get(said.id ?? -1);
    if (asked !== undefined) {
      this.#waiting.delete(said.id as number);
      if (said.error === undefined) asked.resolve(said.result ?? {});
      else asked.reject(new Error(said.error.message));
    }
    for (const listen of this.#listeners) listen(said);
  }

  ask(method: string, params: Result = {}, sessionId?: string): Promise<Result> {
    this.#asked += 1;
    const id = this.#asked;
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`${method}: no answer`)), WAIT_MS);
      const ended =
        <T>(then: (value: T) => void) =>
        (value: T) => {
          clearTimeout(late);
          then(value);
        };
      this.#waiting.set(id, { resolve: ended(resolve), reject: ended(reject) });
      this.#socket.send(JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) }));
    });
  }

  onSaid(listen: (said: Said) => void): () => void {
    this.#listeners.add(listen);
    return () => this.#listeners.delete(listen);
  }

  async tab(): Promise<Tab> {
    const { targetId } = await this.ask('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await this.ask('Target.attachToTarget', { targetId, flatten: true });
    const tab = new Tab(this, sessionId as string);
    await tab.begin();
    return tab;
  }

  async close(): Promise<void> {
    const ended = once(this.#child, 'exit');
    await this.ask('Browser.close').catch(() => this.#child.kill('SIGKILL'));
    await ended;
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

export class Tab {
  readonly #chromium: Chromium;
  readonly #session: string;
  /** What a page said that should not be said: errors of scripts, and what its policy refused. */
  readonly complaints: string[] = [];

  constructor(chromium: Chromium, session: string) {
    this.#chromium = chromium;
    this.#session = session;
  }

  async begin(): Promise<void> {
    this.#chromium.onSaid(({ method, params, sessionId }) => {
      if (sessionId !== this.#session) return;
      if (method === 'Runtime.exceptionThrown' || method === 'Log.entryAdded')
        this.complaints.push(JSON.stringify(params));
      if (method === 'Page.javascriptDialogOpening') this.complaints.push(`dialog ${JSON.stringify(params)}`);
    });
    for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await this.ask(`${domain}.enable`);
  }

  ask(method: string, params: Result = {}): Promise<Result> {
    return this.#chromium.ask(method, params, this.#session);
  }

  async #loaded(act: () => Promise<unknown>): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const late = setTimeout(() => reject(new Error('the page was not loaded')), WAIT_MS);
    const end = this.#chromium.onSaid(({ method, sessionId }) => {
      if (sessionId === this.#session && method === 'Page.loadEventFired') resolve();
    });
    try {
      await act();
      await promise;
    } finally {
      clearTimeout(late);
      end();
    }
  }

  open(url: string): Promise<void> {
    return this.#loaded(() => this.ask('Page.navigate', { url }));
  }

  /** What an expression is in the page. */
  async value<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.ask('Runtime.evaluate', {
      ...{ expression, awaitPromise: true, returnByValue: true },
    });
    if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails));
    return (result as { value: T }).value;
  }

  async close(): Promise<void> {
    await this.ask('Page.close');
  }

  /** Presses what leads to another page. */
  click(selector: string): Promise<void> {
    return this.#loaded(() => this.value(`document.querySelector(${JSON.stringify(selector)}).click()`));
  }

  async key(key: string, code: number): Promise<void> {
    for (const type of ['keyDown', 'keyUp'])
      await this.ask('Input.dispatchKeyEvent', { type, key, code: key, windowsVirtualKeyCode: code });
  }

  async look({
    width,
    isDark,
    hasScripts = true,
  }: {
    width: number;
    isDark: boolean;
    hasScripts?: boolean;
  }): Promise<void> {
    await this.ask('Emulation.setDeviceMetricsOverride', {
      width,
      height: 900,
      deviceScaleFactor: 1,
      mobile: width < 600,
    });
    await this.ask('Emulation.setEmulatedMedia', {
      features: [{ name: 'prefers-color-scheme', value: isDark ? 'dark' : 'light' }],
    });
    await this.ask('Emulation.setScriptExecutionDisabled', { value: !hasScripts });
  }

  /** The whole page, as PNG. */
  async screenshot(): Promise<Buffer> {
    const { data } = await this.ask('Page.captureScreenshot', { captureBeyondViewport: true });
    return Buffer.from(data as string, 'base64');
  }
}
