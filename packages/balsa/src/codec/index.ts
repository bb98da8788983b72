export { ByteReader, corrupt, readI32, safeInteger } from "./byte-reader.js";
export { ByteWriter } from "./byte-writer.js";
export type { Command, CommandKind } from "./command.js";
export { decodeCommand, encodeCommand, isLibraryCommand, requireBytes } from "./command.js";
export { readConfState, writeConfState } from "./conf-state-codec.js";
export { crc32c } from "./crc32c.js";
export { deriveId } from "./derive-id.js";
export {
  ENTRY_HEADER_BYTES,
  entryRecordBytes,
  isRecordOf,
  readEntryRecord,
  sealEntry,
  writeEntryRecord,
} from "./entry-record.js";
export { readHardState, writeHardState } from "./hard-state-codec.js";
export { CONF_STATE_IDS_MAX, ENTRY_PAYLOAD_BYTES_MAX, MESSAGE_ENTRIES_MAX, MESSAGES_MAX } from "./limits.js";
export type { Ends } from "./message-codec.js";
export { readMessages, writeMessages } from "./message-codec.js";
export { readSnapshotMeta, writeSnapshotMeta } from "./snapshot-meta-codec.js";
export { decodeUtf8, encodeUtf8 } from "./utf8.js";
