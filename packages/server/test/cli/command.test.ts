import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Served } from "../rpc/served.js";
import { balsa } from "./outcome.js";

describe("called wrongly: one line, and exit code 2", () => {
  it.each<[string, string[]]>([
    ["an unknown command", ["upp"]],
    ["an unknown flag", ["up", "--data-dirr", "x"]],
    ["a flag without its value", ["up", "--data-dir"]],
    ["too few ports", ["up", "--client-ports", "1,2"]],
    ["a port twice", ["up", "--peer-ports", "1,2,2"]],
    ["a port that is none", ["up", "--peer-ports", "1,2,99999"]],
    ["an unexpected argument", ["up", "now"]],
    ["a URL that is none", ["server", "--listen-client-urls", "localhost:2379"]],
    ["TLS", ["server", "--listen-client-urls", "https://localhost:2379"]],
    ["two peer URLs", ["server", "--listen-peer-urls", "http://a:1,http://b:1"]],
    ["a cluster without this member", ["server", "--name", "a", "--initial-cluster", "b=http://127.0.0.1:2380"]],
    ["a cluster with this member elsewhere", ["server", "--name", "a", "--initial-cluster", "a=http://127.0.0.1:9"]],
    ["an unknown state", ["server", "--initial-cluster-state", "old"]],
    ["a joining member", ["server", "--initial-cluster-state", "existing", "--data-dir", "/nonexistent"]],
    ["a heartbeat that is no number", ["server", "--heartbeat-interval", "fast"]],
    ["an election before a second heartbeat", ["server", "--election-timeout", "150"]],
    ["an endpoint that is none", ["status", "--endpoints", "localhost"]],
    ["a key missing", ["kv", "get"]],
    ["two kinds of range", ["kv", "get", "a", "b", "--prefix"]],
    ["an unknown thing to do with keys", ["kv", "push", "a"]],
  ])("%s", async (_what, args) => {
    const { exitCode, out, error } = await balsa(...args);
    expect(error).toMatch(/^balsa: [^\n]+\n$/);
    expect(exitCode).toBe(2);
    expect(out).toBe("");
  });

  it("an unknown flag is told with the one that was probably meant", async () => {
    expect((await balsa("up", "--data-dri", "x")).error).toContain("--data-dir?");
  });
});

describe("help", () => {
  it("of the whole names every command and shows how to begin", async () => {
    for (const args of [[], ["--help"], ["-h"]]) {
      const { exitCode, out } = await balsa(...args);
      expect(exitCode).toBe(0);
      for (const command of ["up", "server", "status", "kv"])
        expect(out).toMatch(new RegExp(`^ {2}${command}\\b`, "m"));
      expect(out).toContain("balsa kv put greeting hello");
    }
  });

  it.each([["up"], ["server"], ["status"], ["kv", "get"], ["kv", "put"], ["kv", "del"]])(
    "of %s %s has examples",
    async (...command) => {
      const { exitCode, out } = await balsa(...command.filter((word) => word !== undefined), "--help");
      expect(exitCode).toBe(0);
      expect(out).toContain("Examples:");
      expect(out).toContain(`balsa ${command.join(" ")}`);
    },
  );

  it("the version names etcd's too", async () => {
    expect((await balsa("--version")).out).toMatch(/^balsa \d+\.\d+\.\d+ \(etcd API 3\.4\.\d+\)\n$/);
  });
});

describe("with a server", () => {
  let served: Served;
  let at: string[] = [];
  beforeEach(async () => {
    served = await Served.start();
    at = ["--endpoints", served.address];
  });
  afterEach(async () => {
    await served.stop();
  });

  it("puts, gets and deletes", async () => {
    expect(await balsa("kv", "put", "a", "wörld", ...at)).toEqual({ exitCode: 0, out: "OK\n", error: "" });
    expect((await balsa("kv", "put", "a", "2", "--prev-kv", ...at)).out).toBe("OK\na\nwörld\n");
    expect((await balsa("kv", "get", "a", ...at)).out).toBe("a\n2\n");
    expect((await balsa("kv", "get", "a", "--rev", "2", ...at)).out).toBe("a\nwörld\n");
    expect((await balsa("kv", "del", "a", "--prev-kv", ...at)).out).toBe("1\na\n2\n");
    expect((await balsa("kv", "del", "a", ...at)).out).toBe("0\n");
    expect(await balsa("kv", "get", "a", ...at)).toEqual({ exitCode: 0, out: "", error: "" });
  });

  it("ranges: interval, prefix, from a key on, all, limited, counted", async () => {
    for (const key of ["p", "p1", "p2", "q"]) await served.etcd3.put(key).value("v");
    const keys = async (...args: string[]) => (await balsa("kv", "get", ...args, "--keys-only", ...at)).out;
    expect(await keys("p1", "q")).toBe("p1\np2\n");
    expect(await keys("p", "--prefix")).toBe("p\np1\np2\n");
    expect(await keys("p2", "--from-key")).toBe("p2\nq\n");
    expect(await keys("", "--prefix", "--limit", "2")).toBe("p\np1\n");
    expect((await balsa("kv", "get", "p", "--prefix", "--count-only", ...at)).out).toBe("3\n");
    expect((await balsa("kv", "del", "p", "--prefix", ...at)).out).toBe("3\n");
  });

  it("JSON shows text as text and other bytes as base64", async () => {
    await served.etcd3.put("a").value(Buffer.from([0xff, 0]));
    const { out } = await balsa("kv", "get", "a", "--json", ...at);
    expect(JSON.parse(out)).toEqual({
      count: 1,
      more: false,
      kvs: [{ key: "a", valueBase64: "/wA=", createRevision: 2, modRevision: 2, version: 1, lease: "0" }],
    });
  });

  it("tells the server's errors in one line, with exit code 1", async () => {
    expect(await balsa("kv", "get", "a", "--rev", "99", ...at)).toEqual({
      exitCode: 1,
      out: "",
      error: "balsa: etcdserver: mvcc: required revision is a future revision\n",
    });
  });

  it("goes on to the next endpoint when one can't be reached", async () => {
    expect((await balsa("kv", "put", "a", "1", "--endpoints", `127.0.0.1:1,${served.address}`)).out).toBe("OK\n");
  });

  it("says when none can be reached", async () => {
    expect(await balsa("kv", "put", "a", "1", "--endpoints", "127.0.0.1:1")).toEqual({
      exitCode: 1,
      out: "",
      error: "balsa: no endpoint can be reached: 127.0.0.1:1\n",
    });
  });

  it("status is a table, or JSON, and fails when an endpoint can't be reached", async () => {
    const whole = await balsa("status", ...at);
    expect(whole.exitCode).toBe(0);
    expect(whole.out).toMatch(/^ENDPOINT +NAME +MEMBER +ROLE +TERM/);
    expect(whole.out).toMatch(new RegExp(`^${served.address} +solo +100000000000ca +leader +2 +0 +0 +1 +0 B$`, "m"));
    const half = await balsa("status", "--json", "--endpoints", `${served.address},127.0.0.1:1`);
    expect(half.exitCode).toBe(1);
    expect(JSON.parse(half.out)).toEqual([
      expect.objectContaining({ endpoint: served.address, isLeader: true, leaderId: "100000000000ca", revision: 1 }),
      { endpoint: "127.0.0.1:1", problem: "127.0.0.1:1 can't be reached" },
    ]);
  });

  it("up refuses a port in use, by its flag, before anything is touched", async () => {
    const dir = await mkdtemp(join(tmpdir(), "balsa-up-"));
    const port = served.address.replace(/^.*:/, "");
    const outcome = await balsa("up", "--data-dir", join(dir, "none"), "--client-ports", `${port},1,2`);
    expect(outcome).toEqual({
      exitCode: 1,
      out: "",
      error: `balsa: client address ${served.address} is in use; other ports: --client-ports A,B,C\n`,
    });
    await rm(dir, { recursive: true });
  });
});
