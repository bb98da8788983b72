import { BalsaError, EMPTY_CONF_STATE } from "../core/index.js";
import type { DiskStorage } from "../storage/index.js";
import { type Configuration, decodeLibrarySection } from "./configuration.js";
import { BOOTSTRAP_INDEX } from "./first-snapshot.js";
import { machineFailed, type StateMachine } from "./state-machine.js";

/** Brings the state machine to the newest snapshot; gives the configuration as of it. */
export async function restoreState(storage: DiskStorage, stateMachine: StateMachine): Promise<Configuration> {
  // A newcomer has none yet.
  if (storage.snapshot().meta.index === 0) return { confState: EMPTY_CONF_STATE, members: [], removed: [] };
  const reader = await storage.openSnapshot();
  try {
    const configuration = decodeLibrarySection(reader.library, reader.meta.confState);
    // The first snapshot of all holds a configuration and no state.
    if (reader.meta.index > BOOTSTRAP_INDEX) await callRestore(stateMachine, reader.content());
    return configuration;
  } finally {
    await reader.close();
  }
}

async function callRestore(stateMachine: StateMachine, content: AsyncIterable<Uint8Array>): Promise<void> {
  try {
    await stateMachine.restore(content);
  } catch (cause) {
    // What reading the content threw comes back through it.
    throw cause instanceof BalsaError ? cause : machineFailed("restore", cause);
  }
}
