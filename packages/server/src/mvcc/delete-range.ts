import { keyRange } from "./key-range.js";
import type { KeyVersion } from "./key-version.js";
import type { DeleteRangeRequest } from "./request.js";
import type { DeleteRangeResponse } from "./response.js";
import type { WriteTxn } from "./store.js";

export function deleteRange(txn: WriteTxn, request: DeleteRangeRequest): DeleteRangeResponse {
  const found: KeyVersion[] = [];
  txn.visit(keyRange(request.key, request.rangeEnd), txn.revision, (version) => found.push(version));
  for (const version of found) txn.delete(version.key);
  return { revision: txn.revision, deleted: found.length, previous: request.prevKv ? found : [] };
}
