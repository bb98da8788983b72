// One RaftNode in a process of its own, for the labs' scenarios: told by IPC what to propose, it says what it applies.
import { RaftNode } from "balsa";

const { dir, name, listen, members } = JSON.parse(process.argv[2]);
const decoder = new TextDecoder();
const encoder = new TextEncoder();
/** @type {[number, string][]} */
let commands = [];
const node = await RaftNode.open({
  dir,
  name,
  listen,
  cluster: { bootstrap: { id: "labs", members } },
  stateMachine: {
    apply: (batch) =>
      batch.map(({ index, data }) => {
        commands.push([index, decoder.decode(data)]);
        process.send?.({ kind: "applied", index, command: decoder.decode(data) });
        return new Uint8Array(0);
      }),
    snapshot: () => [encoder.encode(JSON.stringify(commands))],
    restore: async (content) => {
      let text = "";
      for await (const chunk of content) text += decoder.decode(chunk, { stream: true });
      commands = text === "" ? [] : JSON.parse(text);
    },
  },
});

process.on("message", ({ id, propose }) => {
  node.propose(encoder.encode(propose), { timeoutMs: 10_000 }).then(
    ({ index, term }) => process.send?.({ kind: "answer", id, index, term }),
    (error) => process.send?.({ kind: "answer", id, error: String(error) }),
  );
});
setInterval(() => {
  const { role, term } = node.status();
  process.send?.({ kind: "status", role, term });
}, 20);
