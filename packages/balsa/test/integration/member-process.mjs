// One RaftNode in a process of its own, for tests. While it leads it proposes without a pause, and reports by IPC what
// it knows of the others' logs.
import { RaftNode } from "balsa";

const { dir, name, listen, members } = JSON.parse(process.argv[2]);
let applied = 0;
const node = await RaftNode.open({
  dir,
  name,
  listen,
  cluster: { bootstrap: { id: "process-test", members } },
  stateMachine: {
    apply: (batch) => batch.map(() => Uint8Array.of(++applied & 0xff)),
    snapshot: () => [Uint8Array.of(0)],
    restore: async (content) => {
      for await (const chunk of content) applied = chunk.length;
    },
  },
});

const command = new Uint8Array(100).fill(7);
for (;;) {
  const { role, memberId, progress } = node.status();
  process.send?.({ name, role, memberId, progress });
  if (role === "leader") await Promise.allSettled(Array.from({ length: 16 }, () => node.propose(command)));
  else await new Promise((resolve) => setTimeout(resolve, 20));
}
