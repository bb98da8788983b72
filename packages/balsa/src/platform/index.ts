export type { Clock, Timer } from "./clock.js";
export type { File, FileErrorCode, FileSystem, Lock } from "./file-system.js";
export { FileError } from "./file-system.js";
export type { Logger, LogLevel } from "./logger.js";
export { silentLogger } from "./logger.js";
export type { CloseReason, Connection, ConnectionHandlers, Listener, Network } from "./network.js";
export { NetworkError } from "./network.js";
export type { Platform } from "./platform.js";
export type { Random } from "./random.js";
