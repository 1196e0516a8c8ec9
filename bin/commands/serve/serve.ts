// pocketful serve: its options. What it runs is loaded when it is asked for: other commands start without it.
import { type Command, InvalidArgumentError } from 'commander';
import { addCommand, collect, countArgument } from '../command.ts';
import type { ServeOptions } from './serve-options.ts';

export function addServe(program: Command): void {
  addCommand<ServeOptions>(
    program,
    'serve',
    'an S3 endpoint for the store, until Ctrl-C',
    async (run, _args, options) => (await import('./serving.ts')).serve(run, options),
    (command) =>
      command
        .option('--host <address>', 'where it listens; anything but loopback is for the network', '127.0.0.1')
        .option('--port <port>', 'its port', portArgument, 9000)
        .option('--admin-port <port>', 'of the web view /ui, /healthz, /readyz and /metrics', portArgument, 9001)
        .option('--admin-host <address>', 'where that listens; anything but loopback asks for a token', '127.0.0.1')
        .option('--admin-token <file>', 'a file that holds the token of /ui and /metrics, asked for on loopback too')
        .option('--domain <name>', 'below which buckets have host names; may be given several times', collect)
        .option('--external-url <url>', 'what clients call it, behind a proxy that changes the Host header')
        .option('--region <name>', 'what clients are told of the region', 'us-east-1')
        .option('--cert <file>', 'certificate (PEM) for TLS')
        .option('--key <file>', 'its key (PEM)')
        .option('--with-daemon', 'upkeep in this process (the default for a file: store)')
        .option('--no-daemon', 'without upkeep in this process'),
  );
}

function portArgument(text: string): number {
  const port = countArgument(text);
  if (port > 65_535) throw new InvalidArgumentError('a port is at most 65535.');
  return port;
}
