// Namespaces that name principals, asked for over the URL and by direct Invoke: who may read, who may write, what is refused and how, and
// until when a change holds everywhere.
import { beforeEach, describe, expect, it } from 'vitest';
import { changeNamespace, listNamespaceRules, type NamespaceChange } from '../../lib/engine/upkeep/namespaces.ts';
import { NAMESPACE_RULES_MS } from '../../lib/limits/stage.ts';
import { namespaceKey } from '../../lib/panda/rows/namespace-row.ts';
import { INVOKE } from '../../lib/settings/principals.ts';
import { type Deployed, deploy, httpEvent } from './events.ts';

const ALICE = 'arn:aws:iam::111122223333:user/alice';
const ROLE = 'arn:aws:iam::111122223333:role/app/Reader';
const READER = 'arn:aws:sts::111122223333:assumed-role/Reader/session';

let deployed: Deployed;
beforeEach(() => {
  deployed = deploy(4);
});

const set = (change: NamespaceChange): ReturnType<typeof changeNamespace> =>
  changeNamespace(deployed.world.start().components, 'tenant', change);

async function http(method: string, caller?: string, path = '/objects/a'): Promise<number> {
  const body = method === 'PUT' ? { body: Buffer.from('x') } : {};
  const event = httpEvent({ method, path, query: 'namespace=tenant', ...body, ...(caller && { caller }) });
  return ((await deployed.invoke(event)) as { statusCode: number }).statusCode;
}

const READS = [{ op: 'get', key: 'a' }, { op: 'head', key: 'a' }, { op: 'list' }] as const;
const WRITES = [
  { op: 'put', objects: [{ key: 'a', body: 'eA==' }] },
  { op: 'delete', objects: [{ key: 'a' }] },
  { op: 'uploadBegin', key: 'a' },
  { op: 'uploadFinish', upload: '0'.repeat(24), key: 'a', sizeBytes: 1 },
] as const;

/** The codes that direct Invokes are refused with. */
const invoke = (requests: readonly object[]): Promise<unknown[]> =>
  Promise.all(
    requests.map(async (request) => {
      const answer = (await deployed.invoke({ namespace: 'tenant', ...request })) as { error?: { code: string } };
      return answer.error?.code;
    }),
  );

describe('a namespace that names nobody', () => {
  it('is open to whoever may call', async () => {
    expect(await http('PUT', ALICE)).toBe(200);
    expect(await http('GET', READER)).toBe(200);
    expect(await invoke(READS)).toEqual([undefined, undefined, undefined]);
  });
});

describe('a namespace that names principals', () => {
  beforeEach(async () => {
    await set({ read: [ROLE], write: [ALICE] });
  });

  it('is read by who may read it and written by who may write it, and by nobody else', async () => {
    expect(await http('PUT', ALICE)).toBe(200);
    for (const [method, path] of [['GET'], ['HEAD'], ['GET', '/objects']] as const) {
      expect(await http(method, READER, path)).toBe(200);
      expect(await http(method, ALICE, path)).toBe(403);
      expect(await http(method, undefined, path)).toBe(403);
    }
    for (const method of ['PUT', 'DELETE']) expect(await http(method, READER)).toBe(403);
    expect(await http('DELETE', ALICE)).toBe(204);
  });

  it('refuses every direct Invoke, since it says nothing of its caller, unless that is named, too', async () => {
    const refused = 'NAMESPACE_DENIED';
    expect(await invoke([...READS, ...WRITES])).toEqual(Array(READS.length + WRITES.length).fill(refused));
    expect(await http('PUT', ALICE)).toBe(200);
    await set({ read: [ROLE, INVOKE] });
    deployed.world.clock.advance(NAMESPACE_RULES_MS);
    expect(await invoke(READS)).toEqual([undefined, undefined, undefined]);
    expect(await invoke(WRITES)).toEqual(Array(WRITES.length).fill(refused));
  });

  it('is another one in every process within half a minute, and leaves others as they are', async () => {
    expect(await http('PUT', ALICE)).toBe(200);
    await set({ write: [] });
    deployed.world.clock.advance(NAMESPACE_RULES_MS - 1);
    expect(await http('PUT', ALICE)).toBe(200);
    deployed.world.clock.advance(1);
    expect(await http('PUT', ALICE)).toBe(403);
    expect(await deployed.invoke({ op: 'list', namespace: 'default' })).not.toHaveProperty('error');
    await set({ isOpened: true });
    deployed.world.clock.advance(NAMESPACE_RULES_MS);
    expect(await http('PUT', READER)).toBe(200);
  });

  it('lets nobody in if what it says cannot be read, and asks again', async () => {
    const { panda, clock } = deployed.world;
    const row = await panda.get(namespaceKey('tenant'));
    await panda.transact([{ kind: 'put', ...namespaceKey('tenant'), attributes: { v: 1, j: '{"principals":7}' } }]);
    expect(await invoke([{ op: 'list' }])).toEqual(['ROW_MALFORMED']);
    expect(await http('PUT', ALICE)).toBe(500);
    await panda.transact([{ kind: 'put', ...namespaceKey('tenant'), attributes: row?.attributes ?? {} }]);
    clock.advance(1);
    expect(await http('PUT', ALICE)).toBe(200);
  });
});

describe('what is said of namespaces', () => {
  it('grows by a version with each change, whoever makes it, and what is not named stays', async () => {
    await set({ read: [ROLE] });
    await Promise.all([set({ write: [ALICE] }), set({ read: [ALICE] })]);
    const [row, ...more] = await listNamespaceRules(deployed.world);
    expect(row).toEqual({
      name: 'tenant',
      version: 3,
      rules: { principals: { read: [ALICE], write: [ALICE] } },
    });
    expect(more).toEqual([]);
  });

  it('is refused where it names no principal, or a namespace that none can be called', async () => {
    await expect(set({ read: ['everybody'] })).rejects.toMatchObject({ code: 'PRINCIPAL_INVALID' });
    const { components } = deployed.world.start();
    expect(await changeNamespace(components, '+gateway', {})).toEqual({ name: '+gateway', version: 1, rules: {} });
    await expect(changeNamespace(components, 'Tenant', {})).rejects.toMatchObject({ code: 'NAMESPACE_INVALID' });
  });
});
