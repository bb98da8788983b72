import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ETCD_API_VERSION } from "../../src/rpc/maintenance-service.js";
import { publishCommand } from "../machine/commands.js";
import { Served } from "./served.js";

let served: Served;
beforeEach(async () => {
  served = await Served.start();
});
afterEach(async () => {
  await served.stop();
});

describe("Maintenance.Status", () => {
  it("tells version, size, leader, and how far the member is", async () => {
    await served.etcd3.put("a").value("1");
    const status = await served.etcd3.maintenance.status();
    expect(status).toMatchObject({
      header: { member_id: String(served.consensus.memberId), revision: "2", raft_term: "2" },
      version: ETCD_API_VERSION,
      leader: String(served.consensus.memberId),
      raftIndex: "1",
      raftTerm: "2",
    });
    expect(Number(status.dbSize)).toBe(served.state.store.sizeBytes);
  });

  it("answers without a leader too, and says so", async () => {
    served.consensus.leader = 0;
    expect(await served.etcd3.maintenance.status()).toMatchObject({ leader: "0", errors: ["etcdserver: no leader"] });
  });
});

describe("Cluster.MemberList", () => {
  it("joins what the group knows with what members have published", async () => {
    const { consensus, etcd3 } = served;
    const other = { id: 2 ** 52 + 7, name: "other", address: "10.0.0.2:2380" };
    consensus.members = [...consensus.members, other];
    await consensus.propose(publishCommand(consensus.memberId, "solo", ["http://127.0.0.1:2379"]));
    const { header, members } = await etcd3.cluster.memberList({});
    expect(header.revision).toBe("0");
    expect(members).toEqual([
      expect.objectContaining({
        ID: String(consensus.memberId),
        name: "solo",
        peerURLs: ["http://127.0.0.1:2380"],
        clientURLs: ["http://127.0.0.1:2379"],
      }),
      expect.objectContaining({
        ID: String(other.id),
        name: "other",
        peerURLs: ["http://10.0.0.2:2380"],
        clientURLs: [],
      }),
    ]);
  });
});
