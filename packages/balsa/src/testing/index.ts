export { clockContract } from "./clock-contract.js";
export type { ContractCase } from "./contract-case.js";
export { ContractError } from "./contract-case.js";
export type { FileSystemSubject } from "./file-system-contract.js";
export { fileSystemContract } from "./file-system-contract.js";
export type { NetworkSubject } from "./network-contract.js";
export { networkContract } from "./network-contract.js";
export { randomContract } from "./random-contract.js";
