import type { Consensus } from "../member/consensus.js";
import { ServerError } from "../server-error.js";
import { ClusterService } from "./cluster-service.js";
import type { Handlers, UnaryHandler } from "./handler.js";
import { KvService, type KvServiceParts } from "./kv-service.js";
import { MaintenanceService } from "./maintenance-service.js";

/** All that is served. */
export function handlersOf(parts: KvServiceParts & { readonly consensus: Consensus }): Handlers {
  const { consensus, state } = parts;
  const kv = new KvService(parts);
  const maintenance = new MaintenanceService(consensus, state);
  const cluster = new ClusterService(consensus, state);

  /** Clients that ask for a member with a leader are told at once when there is none. */
  const leaderAware =
    (handler: UnaryHandler): UnaryHandler =>
    async (request, context) => {
      if (context.requireLeader && consensus.leader === 0) throw new ServerError("no-leader");
      return handler(request, context);
    };

  return new Map<string, UnaryHandler>([
    ["etcdserverpb.KV/Range", leaderAware((request) => kv.range(request))],
    ["etcdserverpb.KV/Put", leaderAware((request) => kv.put(request))],
    ["etcdserverpb.KV/DeleteRange", leaderAware((request) => kv.deleteRange(request))],
    ["etcdserverpb.KV/Txn", leaderAware((request) => kv.txn(request))],
    ["etcdserverpb.KV/Compact", leaderAware((request) => kv.compact(request))],
    ["etcdserverpb.Maintenance/Status", leaderAware(() => maintenance.status())],
    ["etcdserverpb.Cluster/MemberList", leaderAware(() => cluster.memberList())],
  ]);
}
