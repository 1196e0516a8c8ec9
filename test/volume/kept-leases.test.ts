// A server's appends that come one after the other: each commits and leases the volume for the next one in one transaction, so that only the first
// takes a lease by itself. What is kept goes back, can be broken by others as any lease, and is nobody else's.
import { describe, expect, it } from 'vitest';
import { KEPT_LEASE_MS, LEASE_MS } from '../../lib/limits/volume.ts';
import { MemoryPanda } from '../../lib/panda/memory-panda.ts';
import type { Write } from '../../lib/panda/panda.ts';
import type { VolumeRow } from '../../lib/panda/rows/volume-row.ts';
import { endLeases } from '../../lib/volume/open/end-leases.ts';
import { listVolumes } from '../../lib/volume/rows/read-rows.ts';
import { type Process, TINY, World } from '../store/harness.ts';
import { TurningClock } from '../store/pace.ts';
import { expectSound } from '../store/recount.ts';

const CELL = TINY.cell;

/** Whoever waits to give a lease back waits until the test lets time pass. */
class HeldClock extends TurningClock {
  #held: (() => void)[] = [];

  override async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (ms !== KEPT_LEASE_MS) return super.sleep(ms, signal);
    await new Promise<void>((resolve) => this.#held.push(resolve));
  }

  async pass(ms: number): Promise<void> {
    this.advance(ms);
    for (const wake of this.#held.splice(0)) wake();
    await new Promise((turn) => setTimeout(turn, 5));
  }
}

class CountingPanda extends MemoryPanda {
  sent: (readonly Write[])[] = [];

  override async transact(writes: readonly Write[]): Promise<void> {
    this.sent.push(writes);
    return super.transact(writes);
  }
}

function serving({ openVolumes = 1 } = {}) {
  const panda = new CountingPanda();
  const clock = new HeldClock();
  const world = new World(77, { ...TINY, openVolumes }, 20, panda, clock);
  const server = world.start();
  server.volumes.open.keepLeases(KEPT_LEASE_MS);
  const put = async (p: Process, key: string): Promise<number> => {
    panda.sent = [];
    await p.frontend.put({ namespace: 'n', key, body: Buffer.from(`body of ${key}`) });
    return panda.sent.length;
  };
  const open = async (): Promise<VolumeRow> => {
    const [row] = (await listVolumes(panda, CELL)).filter(({ state }) => state === 'open');
    return row ?? expect.fail('no open volume');
  };
  return { panda, clock, world, server, put, open };
}

describe('a lease that is kept', () => {
  it('saves the next append its own, whose commit keeps another one', async () => {
    const { server, put, open } = serving();
    await put(server, 'first');
    const kept = await open();
    expect(kept).toMatchObject({ owner: server.components.owner, pendingSeq: undefined });
    expect(await put(server, 'second')).toBe(1);
    expect(await put(server, 'third')).toBe(1);
    expect(await open()).toMatchObject({ id: kept.id, token: kept.token + 2, nextSeq: kept.nextSeq + 2 });
    await expectSound(server);
  });

  it('is not kept by whoever does not serve', async () => {
    const { world, put, open } = serving();
    const other = world.start();
    await put(other, 'first');
    expect(await open()).toMatchObject({ owner: undefined });
    expect(await put(other, 'second')).toBe(2);
  });

  it('goes back when nothing came for a while, and not while something comes', async () => {
    const { clock, server, put, open } = serving();
    await put(server, 'first');
    await clock.pass(KEPT_LEASE_MS / 2);
    await put(server, 'second');
    await clock.pass(KEPT_LEASE_MS / 2);
    expect(await open()).toMatchObject({ owner: server.components.owner });
    await clock.pass(KEPT_LEASE_MS);
    expect(await open()).toMatchObject({ owner: undefined });
    expect(await put(server, 'third')).toBe(2);
  });

  it('goes back at the end, and none is kept after it', async () => {
    const { server, put, open } = serving();
    await put(server, 'first');
    await server.volumes.open.giveLeasesBack();
    expect(await open()).toMatchObject({ owner: undefined });
    await put(server, 'second');
    expect(await open()).toMatchObject({ owner: undefined });
  });

  it('is broken as any other: by whoever retires a key, and by whoever knows that its holder is dead', async () => {
    const { world, server, put, open } = serving();
    await put(server, 'first');
    const { token } = await open();
    expect(await endLeases(world.start().components)).toBe(1);
    expect(await open()).toMatchObject({ owner: undefined, token: token + 1 });
    await put(server, 'second');
    expect((await open()).token).toBeGreaterThan(token + 1);
    const heir = world.start({ othersDead: true });
    await put(heir, 'third');
    await put(server, 'fourth'); // it was not dead after all
    await expectSound(server);
    for (const key of ['first', 'second', 'third', 'fourth'])
      expect(Buffer.from(await server.frontend.read('n', key, 100)).toString()).toBe(`body of ${key}`);
  });

  it('is in the way of no seal of its own process, and of those of others until nothing came for a while', async () => {
    const { clock, world, server, put, open } = serving();
    await put(server, 'first');
    const other = world.start();
    expect(await other.volumes.open.sealAll('hot')).toBe(0);
    await clock.pass(KEPT_LEASE_MS);
    expect(await other.volumes.open.sealAll('hot')).toBe(1);
    await put(server, 'second');
    expect(await open()).toMatchObject({ owner: server.components.owner });
    expect(await server.volumes.open.sealAll('hot')).toBe(1);
    await expectSound(other);
  });

  it('is not taken up with less than half of its time left', async () => {
    const { clock, server, put } = serving();
    await put(server, 'first');
    clock.advance(LEASE_MS / 2 + 1);
    expect(await put(server, 'second')).toBe(2);
  });

  it('is not taken by another part of the process, which has the same name', async () => {
    const { server, put, open, world } = serving();
    await put(server, 'first');
    const { token } = await open();
    const { VolumeStore } = await import('../../lib/volume/volume-store.ts');
    const beside = new VolumeStore(server.components);
    const lease = await beside.open.lease('hot', 1000);
    expect(lease.token).toBe(token + 1);
    await lease.release();
    await put(server, 'second');
    await expectSound(world.start());
  });
});
