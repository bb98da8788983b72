import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ConfChangeReplay } from "./confchange.js";
import { TraceError } from "./directive.js";
import { goQuote } from "./go-quote.js";
import { InteractionReplay } from "./interaction.js";
import { replayFolder } from "./main.js";
import { QuorumReplay } from "./quorum.js";
import { parseTrace } from "./trace-file.js";

/** Runs a script without expectations; returns what each step printed. */
function play(replay: { run(step: ReturnType<typeof parseTrace>[number]): string }, script: string): string[] {
  const blocks = script.trim().split(/\n\s*\n/);
  const trace = blocks.map((block) => `${block.replace(/^ +/gm, "")}\n----\nok\n`).join("\n");
  return parseTrace(trace).map((step) => replay.run(step));
}

/** What the last step of an interaction printed. */
function last(script: string): string {
  return play(new InteractionReplay(), script).at(-1) ?? "";
}

/** Three voters, led by 1. */
const LED = `
  log-level none

  add-nodes 3 voters=(1,2,3) index=10

  campaign 1

  stabilize

  log-level info
`;

describe("reading traces", () => {
  it("comments, arguments, input and expected output", () => {
    const [first, second, third] = parseTrace(
      [
        "# a comment",
        "propose-conf-change 1 v1=true voters=(1, 2,3) empty= plain",
        "v4 l5",
        "r1",
        "----",
        "one",
        "two",
        "",
        "",
        "status 1",
        "----",
        "----",
        "with",
        "",
        "a blank line",
        "----",
        "----",
        "",
        "stabilize \\",
        "  1 2",
        "----",
        "no newline at the end",
      ].join("\n"),
    );
    expect(first).toEqual({
      line: 2,
      text: "propose-conf-change 1 v1=true voters=(1, 2,3) empty= plain",
      directive: "propose-conf-change",
      args: [
        { key: "1", values: undefined },
        { key: "v1", values: ["true"] },
        { key: "voters", values: ["1", "2", "3"] },
        { key: "empty", values: [""] },
        { key: "plain", values: undefined },
      ],
      input: "v4 l5\nr1",
      expected: "one\ntwo\n",
    });
    expect(second).toMatchObject({ directive: "status", expected: "with\n\na blank line\n" });
    expect(third).toMatchObject({ args: [{ key: "1" }, { key: "2" }], expected: "no newline at the end\n" });
  });

  it("refuses a directive without output", () => {
    expect(() => parseTrace("status 1\n")).toThrow("no ---- follows");
  });
});

describe("replaying a folder", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "balsa-traces-"));
    for (const kind of ["interaction", "confchange", "quorum", "other"]) mkdirSync(join(folder, kind));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("passes what agrees, and shows where the others differ", () => {
    writeFileSync(join(folder, "quorum", "good"), "vote cfg=(1) votes=(y)\n----\nVoteWon\n");
    writeFileSync(join(folder, "quorum", "bad.txt"), "vote cfg=(1) votes=(y)\n----\nVoteLost\n");
    writeFileSync(join(folder, "confchange", "unknown"), "dance\n----\nok\n");
    writeFileSync(join(folder, "other", "passed-over"), "vote\n----\n");
    const printed: string[] = [];
    expect(replayFolder(folder, (line) => printed.push(line))).toEqual({ passed: 1, failed: 2 });
    expect(printed.join("\n")).toContain("quorum/bad.txt:1: vote cfg=(1) votes=(y)\n- VoteLost\n+ VoteWon\n");
    expect(printed.join("\n")).toContain("unknown directive dance");
  });

  it("finds nothing in an empty folder", () => {
    expect(replayFolder(folder, () => {})).toEqual({ passed: 0, failed: 0 });
  });

  it("takes a folder of one kind as well", () => {
    writeFileSync(join(folder, "quorum", "good"), "vote cfg=(1) votes=(y)\n----\nVoteWon\n");
    expect(replayFolder(join(folder, "quorum"), () => {})).toEqual({ passed: 1, failed: 0 });
  });
});

describe("interaction: directives", () => {
  it("an error stands alone at level none", () => {
    const script = `${LED}

      log-level none

      forget-leader 2

      status 1

      propose 2 x`;
    expect(play(new InteractionReplay(), script).slice(-3)).toEqual(["ok\n", "ok\n", "raft proposal dropped\n"]);
  });

  it("an index of 1 at most is no beginning", () => {
    expect(last("add-nodes 1 voters=(1) index=1")).toBe("index must be specified as > 1 due to bootstrap\n");
    expect(last("add-nodes 1 content=abc")).toBe("index must be specified as > 1 due to bootstrap\n");
  });

  it("content is the state that nodes begin with", () => {
    const script = `
      add-nodes 2 voters=(1,2) index=4 content=abc

      raft-log 1

      send-snapshot 1 2`;
    expect(play(new InteractionReplay(), script).slice(1)).toEqual([
      "log is empty: first index=5, last index=4\n",
      "1->2 MsgSnap Term:0 Log:0/0\n" +
        "  Snapshot: Index:4 Term:1 ConfState:Voters:[1 2] VotersOutgoing:[] Learners:[] LearnersNext:[] AutoLeave:false\n",
    ]);
  });

  it("process-ready of one node has no heading, of several each has one", () => {
    expect(last(`${LED}\n\n process-ready 1`)).toBe("<empty Ready>\n");
    expect(last(`${LED}\n\n process-ready 1 2`)).toBe(
      "> 1 handling Ready\n  <empty Ready>\n> 2 handling Ready\n  <empty Ready>\n",
    );
  });

  it("threads without work say so", () => {
    const script = "add-nodes 1 voters=(1) index=2 async-storage-writes=true";
    expect(last(`${script}\n\n process-append-thread 1`)).toBe("no append work to perform\n");
    expect(last(`${script}\n\n process-apply-thread 1`)).toBe("no apply work to perform\n");
  });

  it("messages are delivered by type, dropped where they may be, and missed where there are none", () => {
    expect(last(`${LED}\n\n deliver-msgs 1`)).toBe("no messages\n");
    const busy = `${LED}

      propose 1 a

      tick-heartbeat 1

      process-ready 1
    `;
    expect(last(`${busy}\n\n deliver-msgs 2 type=MsgHeartbeat`)).toBe("1->2 MsgHeartbeat Term:1 Log:0/0 Commit:11\n");
    expect(last(`${busy}\n\n deliver-msgs 3 drop=2`)).toBe(
      '1->3 MsgApp Term:1 Log:1/11 Commit:11 Entries:[1/12 EntryNormal "a"]\n' +
        "1->3 MsgHeartbeat Term:1 Log:0/0 Commit:11\n" +
        'dropped: 1->2 MsgApp Term:1 Log:1/11 Commit:11 Entries:[1/12 EntryNormal "a"]\n' +
        "dropped: 1->2 MsgHeartbeat Term:1 Log:0/0 Commit:11\n",
    );
  });

  it("storage messages of a node to itself are never dropped", () => {
    const script = `
      add-nodes 1 voters=(1) index=2 async-storage-writes=true

      campaign 1

      process-ready 1

      process-append-thread 1

      deliver-msgs drop=1

      deliver-msgs 1`;
    expect(play(new InteractionReplay(), script).slice(-3)).toEqual([
      "Processing:\n1->AppendThread MsgStorageAppend Term:1 Log:0/0 Commit:2 Vote:1\n" +
        "Responses:\n1->1 MsgVoteResp Term:1 Log:0/0\n",
      "no messages\n",
      "1->1 MsgVoteResp Term:1 Log:0/0\n",
    ]);
  });

  it("a change in the first format has one operation and no transition", () => {
    const complaint = "v1 conf change can only have one operation and no transition\n";
    expect(last(`${LED}\n\n propose-conf-change 1 v1=true\n v4 v5`)).toBe(complaint);
    expect(last(`${LED}\n\n propose-conf-change 1 v1=true transition=explicit\n v4`)).toBe(complaint);
  });

  it.each([
    ["auto", "VotersOutgoing:[1 2 3] Learners:[] LearnersNext:[] AutoLeave:true", "v4 r2"],
    ["implicit", "VotersOutgoing:[1 2 3] Learners:[] LearnersNext:[] AutoLeave:true", "v4"],
    ["explicit", "VotersOutgoing:[1 2 3] Learners:[] LearnersNext:[] AutoLeave:false", "v4"],
  ])("transition=%s", (transition, conf, change) => {
    const script = `${LED}

      add-nodes 1

      propose-conf-change 1 transition=${transition}
      ${change}

      stabilize log-level=none

      stabilize 1

      raft-state`;
    expect(play(new InteractionReplay(), script).at(-1)).toContain("4: StateFollower (Voter) Term:1 Lead:1");
    const whole = play(new InteractionReplay(), script.replace(" log-level=none", ""));
    expect(whole.join("")).toContain(conf);
  });

  it("compaction answers with what is left, and with an error where nothing is", () => {
    expect(last(`${LED}\n\n compact 1 11`)).toBe("log is empty: first index=12, last index=11\n");
    expect(last(`${LED}\n\n compact 1 11\n\n compact 1 11`)).toBe("requested index is unavailable due to compaction\n");
  });

  it("leadership is transferred, forgotten and asked for", () => {
    const script = `${LED}

      transfer-leadership from=2 to=3

      process-ready 2

      stabilize log-level=none

      raft-state`;
    expect(play(new InteractionReplay(), script).slice(-3)).toEqual([
      "Ready MustSync=false:\nMessages:\n3->1 MsgTransferLeader Term:1 Log:0/0\n",
      "ok\n",
      "1: StateFollower (Voter) Term:2 Lead:3\n2: StateFollower (Voter) Term:2 Lead:3\n3: StateLeader (Voter) Term:2 Lead:3\n",
    ]);
  });

  it("a forwarded proposal has no place in the log yet", () => {
    expect(last(`${LED}\n\n propose 2 x\n\n process-ready 2`)).toBe(
      'Ready MustSync=false:\nMessages:\n2->1 MsgProp Term:0 Log:0/0 Entries:[0/0 EntryNormal "x"]\n',
    );
  });

  it("the randomized timeout is fixed until it is redrawn", () => {
    const script = (timeout: number): string => `${LED}

      set-randomized-election-timeout 2 timeout=${timeout}

      tick-election 2

      raft-state`;
    expect(last(script(3))).toContain("2: StateCandidate (Voter) Term:2 Lead:0");
    expect(last(script(4))).toContain("2: StateFollower (Voter) Term:1 Lead:1");
  });

  it.each([
    ["prevote=true", "2: StatePreCandidate (Voter) Term:1 Lead:0"],
    ["prevote=false", "2: StateCandidate (Voter) Term:2 Lead:0"],
  ])("add-nodes takes %s", (option, expected) => {
    expect(last(`${LED.replace("index=10", `index=10 ${option}`)}\n\n campaign 2\n\n raft-state`)).toContain(expected);
  });

  it("lease-based reads keep a follower from forgetting its leader", () => {
    const options = "index=10 checkquorum=true read-only=lease-based";
    const script = `${LED.replace("index=10", options)}\n\n forget-leader 2\n\n raft-state`;
    expect(last(script)).toContain("2: StateFollower (Voter) Term:1 Lead:1");
    expect(last(script.replace("lease-based", "safe"))).toContain("2: StateFollower (Voter) Term:1 Lead:0");
  });

  it("step-down-on-removal", () => {
    const script = `${LED.replace("index=10", "index=10 step-down-on-removal=true")}

      propose-conf-change 1 v1=true
      r1

      stabilize log-level=none

      raft-state`;
    expect(last(script)).toContain("1: StateFollower (Non-Voter) Term:1 Lead:0");
  });

  it("max-committed-size-per-ready counts entries as protobuf would, one at the least", () => {
    // Each of the entries is 2 + 2 + 2 + 10 bytes; the leader's empty one 4.
    const pages = (bytes: number): number[] => {
      const script = `
        log-level none

        add-nodes 1 voters=(1) index=10 max-committed-size-per-ready=${bytes}

        campaign 1

        stabilize

        propose 1 0123456789

        propose 1 0123456789

        propose 1 0123456789

        log-level info

        stabilize`;
      const printed = last(script);
      return printed.split("handling Ready").flatMap((ready) => {
        const committed = ready.split("CommittedEntries:")[1];
        return committed === undefined ? [] : [committed.split("EntryNormal").length - 1];
      });
    };
    expect(pages(1)).toEqual([1, 1, 1]);
    expect(pages(31)).toEqual([1, 1, 1]);
    expect(pages(32)).toEqual([2, 1]);
    expect(pages(48)).toEqual([3]);
  });

  it("disable-conf-change-validation appends changes as they are", () => {
    const change = (options: string): string => `
      add-nodes 1 voters=(1) index=2 ${options}

      campaign 1

      stabilize log-level=none

      propose-conf-change 1
      l2

      propose-conf-change 1
      l3

      process-ready 1`;
    expect(last(change("disable-conf-change-validation=true"))).toContain(
      "1/4 EntryConfChangeV2 l2\n1/5 EntryConfChangeV2 l3\n",
    );
    expect(last(change(""))).toContain('1/4 EntryConfChangeV2 l2\n1/5 EntryNormal ""\n');
  });

  it("report-unreachable, inflight and status", () => {
    const script = `${LED.replace("index=10", "index=10 inflight=1")}

      propose 1 a

      status 1

      report-unreachable 1 2

      status 1

      status 2`;
    expect(play(new InteractionReplay(), script).slice(-4)).toEqual([
      "1: StateReplicate match=11 next=12\n" +
        "2: StateReplicate match=11 next=13 paused inflight=1[full]\n" +
        "3: StateReplicate match=11 next=13 paused inflight=1[full]\n",
      "ok\n",
      "1: StateReplicate match=11 next=12\n" +
        "2: StateProbe match=11 next=12\n" +
        "3: StateReplicate match=11 next=13 paused inflight=1[full]\n",
      "ok\n",
    ]);
  });

  it.each([
    "dance 1",
    "add-nodes 1 voters=(1) index=2 colour=red",
    "add-nodes 1 voters=(1) index=2 read-only=sometimes",
    "add-nodes 1 voters=(1) index=2 prevote=perhaps",
    "campaign 7",
    "campaign",
    "campaign one",
    "log-level loud",
    "deliver-msgs 1 drop=1",
    "transfer-leadership from=1",
    "set-randomized-election-timeout 1",
    "propose-conf-change 1 transition=slowly",
    "propose-conf-change 1\nx4",
    "set-randomized-election-timeout 1 timeout=(1,2)",
  ])("does not guess what %s means", (directive) => {
    expect(() => last(`add-nodes 1 voters=(1) index=2\n\n${directive}`)).toThrow(TraceError);
  });
});

describe("confchange and quorum", () => {
  it("shows everything a configuration can have", () => {
    const script = `
      simple
      v1

      enter-joint autoleave=true
      v2 l1 l3

      leave-joint`;
    expect(play(new ConfChangeReplay(), script)).toEqual([
      "voters=(1)\n1: StateProbe match=0 next=1\n",
      "voters=(2)&&(1) learners=(3) learners_next=(1) autoleave\n" +
        "1: StateProbe match=0 next=1\n2: StateProbe match=0 next=1\n3: StateProbe match=0 next=1 learner\n",
      "voters=(2) learners=(1 3)\n" +
        "1: StateProbe match=0 next=1 learner\n2: StateProbe match=0 next=1\n3: StateProbe match=0 next=1 learner\n",
    ]);
  });

  it("joint indexes, given to the voters of one half and those of the other not seen yet", () => {
    const script = `
      committed cfg=(1,2,3) cfgj=(3,4) idx=(2,_,10,20)

      committed cfg=(1) cfgj=zero idx=(5)

      committed cfg=(1,2) idx=(5)

      vote cfg=(1,2,3) votes=(y,n,_)`;
    expect(play(new QuorumReplay(), script)).toEqual([
      "        idx\n" +
        "x>        2    (id=1)\n" +
        "?         0    (id=2)\n" +
        "xx>      10    (id=3)\n" +
        "xxx>     20    (id=4)\n" +
        "2\n",
      "     idx\n>      5    (id=1)\n5\n",
      "error: mismatched input (explicit or _) for voters [1 2]: [5]\n",
      "VotePending\n",
    ]);
  });
});

describe("quoting as Go does", () => {
  it.each([
    ["plain é 世", '"plain é 世"'],
    ['"\\', '"\\"\\\\"'],
    ["\u0007\b\f\n\r\t\v", '"\\a\\b\\f\\n\\r\\t\\v"'],
    ["\u0001\u007f", '"\\x01\\x7f"'],
    ["\u0085\u00a0\u{e0001}", '"\\u0085\\u00a0\\U000e0001"'],
  ])("%j", (text, quoted) => {
    expect(goQuote(new TextEncoder().encode(text))).toBe(quoted);
  });

  it("bytes that are no text", () => {
    expect(goQuote(Uint8Array.from([0x61, 0xff, 0xe4, 0xb8, 0x62]))).toBe('"a\\xff\\xe4\\xb8b"');
  });
});
