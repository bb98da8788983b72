// One RaftNode in a process of its own, for tests of membership: opened as it is told, it proposes now and then, and
// reports by IPC what it knows. Messages to it are calls.
import { RaftNode } from "balsa";

const { dir, name, listen, cluster } = JSON.parse(process.argv[2]);
let applied = 0;
const node = await RaftNode.open({
  dir,
  name,
  listen,
  cluster,
  stateMachine: {
    apply: (batch) => batch.map(() => Uint8Array.of(++applied & 0xff)),
    snapshot: () => [new TextEncoder().encode(String(applied))],
    restore: async (content) => {
      let text = "";
      for await (const chunk of content) text += new TextDecoder().decode(chunk);
      applied = Number(text);
    },
  },
});
process.on("message", ({ remove }) => {
  node.removeMember(remove).then(
    () => process.send?.({ name, removed: remove }),
    (error) => process.send?.({ name, refusal: error.refusal ?? error.code }),
  );
});
for (;;) {
  const { memberId, role, members } = node.status();
  process.send?.({ name, memberId, role, applied, members });
  await node.propose(Uint8Array.of(7), { timeoutMs: 1_000 }).catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, 20));
}
