import { type Model, sequentialModel } from "balsa/linearizability";
import { type EtcdInput, isRead, requestOf } from "./etcd-input.js";
import { answerText, type KvAnswer, sameAnswer } from "./kv-answer.js";
import { NaiveStore } from "./naive-store.js";

/** etcd's KV. The whole store is one object: every write raises the one revision, so nothing can be checked apart. */
export const etcdModel: Model<NaiveStore, EtcdInput, KvAnswer> = sequentialModel<NaiveStore, EtcdInput, KvAnswer>({
  name: "etcd's key-value store",
  initial: () => NaiveStore.empty(),
  apply: (store, input) => store.run(requestOf(input)),
  sameOutput: sameAnswer,
  stateKey: (store) => store.stateKey,
  isReadOnly: isRead,
  // Every answer tells the revision, and that never falls.
  rulesOut: (store, _input, answer) => typeof answer !== "string" && answer.revision < store.revision,
  describe: {
    input: (input) => JSON.stringify(input),
    output: answerText,
    state: (store) => `revision ${store.revision}`,
  },
});
