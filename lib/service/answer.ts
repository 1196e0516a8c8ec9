// Answers one lambda:Invoke request of aws-protocol.ts out of the use-cases.
import type { PutOutcome } from '../frontend/frontend.ts';
import {
  type FrontendAnswer,
  type FrontendRequest,
  fromBase64,
  parseRequest,
  type ResultOf,
  toBase64,
  toWire,
} from './protocol.ts';
import type { FrontendService, OpenService } from './service.ts';

/** Typed errors become answers; anything else is thrown, and so fails the invocation. */
export async function answerInvoke(open: OpenService, event: unknown): Promise<FrontendAnswer> {
  try {
    const request = parseRequest(event);
    return await answer(await open(), request);
  } catch (error) {
    return { error: toWire(error) };
  }
}

/** Parts and the end of an upload go by its id, which only who began it knows. */
const RIGHTS = {
  put: 'write',
  get: 'read',
  head: 'read',
  delete: 'write',
  list: 'read',
  uploadBegin: 'write',
  uploadFinish: 'write',
  bulkBegin: 'write',
  bulkPart: 'write',
  bulkGather: 'write',
  bulkExtend: 'write',
} as const;

async function answer(service: FrontendService, request: FrontendRequest): Promise<FrontendAnswer> {
  if ('namespace' in request) await service.admit(request.namespace, RIGHTS[request.op], undefined);
  switch (request.op) {
    case 'put': {
      const objects = request.objects.map(({ body, ...rest }) => ({ ...rest, body: fromBase64(body) }));
      return putResults(await service.put(request.namespace, objects));
    }
    case 'get': {
      const { object, offset, body } = await service.read(request.namespace, request.key, request);
      return { object, offset, body: toBase64(body) };
    }
    case 'head':
      return { object: await service.head(request.namespace, request.key) };
    case 'delete': {
      const outcomes = await service.delete(request.namespace, request.objects);
      return { results: outcomes.map((one) => ('error' in one ? { error: toWire(one.error) } : one)) };
    }
    case 'list': {
      const { objects, damaged, commonPrefixes, next } = await service.list(request.namespace, request);
      const told = damaged?.map(({ key, error }) => ({ key, error: toWire(error) }));
      return { objects: [...objects], commonPrefixes: [...commonPrefixes], next, damaged: told };
    }
    case 'uploadBegin':
      return service.uploadBegin(request.namespace, request.key);
    case 'uploadPart':
      await service.uploadPart(request.upload, request.offset, fromBase64(request.body));
      return {};
    case 'uploadFinish':
      return { object: await service.uploadFinish(request) };
    case 'bulkBegin':
      return service.bulk.begin();
    case 'bulkPart':
      return { part: await service.bulk.stage(request.namespace, fromBase64(request.body)) };
    case 'bulkGather':
      return putResults(await service.bulkGather(request));
    case 'bulkExtend':
      return { storedBytes: await service.bulkExtend(request) };
    case 'sample':
      return service.sample(request.msMax);
    case 'uploadAbort':
      await service.uploadAbort(request.upload);
      return {};
  }
}

const putResults = (outcomes: readonly PutOutcome[]): ResultOf<'put'> => ({
  results: outcomes.map((one) => (one.ok ? one : { error: toWire(one.error) })),
});
