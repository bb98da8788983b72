/**
 * A command in the log:
 *
 *   offset  bytes  field
 *        0      1  kind
 *        1      1  flags: zero; room for what some commands will carry besides (who asked, under which rights)
 *        2      n  the message of protobuf that the kind names, for clients' requests as they came
 *
 * A member that meets a kind or flag it does not know must stop: going on without would be another state.
 */
import { BalsaError } from "balsa/core";

const COMMAND_KINDS = { put: 1, deleteRange: 2, txn: 3, compact: 4, publish: 16 } as const;
export type CommandKind = keyof typeof COMMAND_KINDS;

const KINDS_BY_CODE: ReadonlyMap<number, CommandKind> = new Map(
  Object.entries(COMMAND_KINDS).map(([kind, code]) => [code, kind as CommandKind]),
);

const HEADER_BYTES = 2;

export function encodeCommand(kind: CommandKind, message: Uint8Array): Uint8Array {
  const command = new Uint8Array(HEADER_BYTES + message.length);
  command[0] = COMMAND_KINDS[kind];
  command.set(message, HEADER_BYTES);
  return command;
}

/**
 * The message is a view of `command`.
 * @throws BalsaError `corrupt`
 */
export function decodeCommand(command: Uint8Array): { readonly kind: CommandKind; readonly message: Uint8Array } {
  const kind = KINDS_BY_CODE.get(command[0] ?? 0);
  if (kind === undefined) throw new BalsaError("corrupt", "a command of the log is of no known kind");
  if (command[1] !== 0) throw new BalsaError("corrupt", "a command of the log has unknown flags");
  return { kind, message: command.subarray(HEADER_BYTES) };
}
