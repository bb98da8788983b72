import type { ByteWriter } from "../codec/index.js";
import { corrupt, encodeUtf8 } from "../codec/index.js";
import { BalsaError } from "../core/index.js";
import type { FileSystem, Random } from "../platform/index.js";
import { located } from "./corruption.js";
import { FORMAT_VERSION, loadFileHeader, readFileHeader, writeFileHeader } from "./file-header.js";
import { NAME_BYTES_MAX } from "./limits.js";

/** Whose directory it is. Written once, when the directory is created. */
export interface Identity {
  readonly clusterId: number;
  readonly memberId: number;
  readonly group: number;
  /** Drawn at random when the directory was created, ≥ 1: tells a member from its former self whose disk was wiped. */
  readonly incarnation: number;
  readonly formatVersion: number;
  readonly name: string;
}

/** What the directory must be, or become. */
export type ExpectedIdentity =
  /**
   * The member of a new cluster: made if there is nothing yet, and opened if it is of that cluster and name. Its ID is
   * another one if it lost its directory once and joined again.
   */
  | {
      readonly kind: "bootstrap";
      readonly clusterId: number;
      readonly memberId: number;
      readonly group: number;
      readonly name: string;
    }
  /**
   * A member that joins a cluster: `obtain` is asked who it is to be if there is nothing yet, while the directory is
   * locked. What is there is opened, unless it is of the incarnation `replaces`: that is cleared first.
   */
  | {
      readonly kind: "join";
      readonly group: number;
      readonly name: string;
      /** 0 = none. */
      readonly replaces: number;
      readonly obtain: () => Promise<NewIdentity>;
    }
  /** Must be there; what is given must match. */
  | {
      readonly kind: "existing";
      readonly clusterId?: number | undefined;
      readonly memberId?: number | undefined;
      readonly group: number;
      readonly name: string;
    };

/** Whom a new directory is made for. */
export interface NewIdentity {
  readonly clusterId: number;
  readonly memberId: number;
  /** Drawn if it is left out. */
  readonly incarnation?: number | undefined;
}

/** ≥ 1. */
export function drawIncarnation(random: Random): number {
  return 1 + random.below(Number.MAX_SAFE_INTEGER);
}

export function encodeIdentity(identity: Identity): Uint8Array {
  return writeFileHeader("BALSA-ID", (out: ByteWriter) => {
    out.u64(identity.clusterId);
    out.u64(identity.memberId);
    out.u64(identity.group);
    out.u64(identity.incarnation);
    out.text(identity.name);
  }).bytes;
}

/** @throws BalsaError `corrupt`, `identity-mismatch` */
function decodeIdentity(bytes: Uint8Array): Identity {
  const { fields, headerBytes } = readFileHeader("BALSA-ID", bytes);
  if (headerBytes !== bytes.length) throw corrupt("bytes are left over");
  const clusterId = fields.u64();
  const memberId = fields.u64();
  const group = fields.u64();
  const incarnation = fields.u64();
  const name = fields.text();
  fields.expectEnd();
  if (incarnation === 0) throw corrupt("an incarnation is not 0");
  return { clusterId, memberId, group, incarnation, formatVersion: FORMAT_VERSION, name };
}

/** @throws FileError `not-found` and others, BalsaError `corrupt`, `identity-mismatch` */
export async function loadIdentity(files: FileSystem, path: string): Promise<Identity> {
  const file = await files.open(path, "read");
  try {
    const header = await loadFileHeader(file);
    if ((await file.sizeBytes()) !== header.length) throw corrupt("the file is not as long as its header says");
    return decodeIdentity(header);
  } catch (cause) {
    throw located(cause, path, 0);
  } finally {
    await file.close();
  }
}

/** @throws BalsaError `invalid-argument` */
export function checkName(name: string): void {
  const nameBytes = encodeUtf8(name).length;
  if (nameBytes === 0 || nameBytes > NAME_BYTES_MAX) {
    throw new BalsaError("invalid-argument", `a member's name has 1 to ${NAME_BYTES_MAX} bytes, not ${nameBytes}`);
  }
}

/** @throws BalsaError `identity-mismatch` */
export function matchIdentity(dir: string, actual: Identity, expected: ExpectedIdentity): void {
  const { group, name } = expected;
  const clusterId = expected.kind === "join" ? undefined : expected.clusterId;
  const memberId = expected.kind === "existing" ? expected.memberId : undefined;
  if (clusterId !== undefined && clusterId !== actual.clusterId) {
    throw mismatch(dir, "cluster", hex(actual.clusterId), hex(clusterId));
  }
  if (memberId !== undefined && memberId !== actual.memberId) {
    throw mismatch(dir, "member", `${hex(actual.memberId)} (${actual.name})`, `${hex(memberId)} (${name})`);
  }
  if (group !== actual.group) throw mismatch(dir, "group", String(actual.group), String(group));
  if (name !== actual.name) throw mismatch(dir, "member", actual.name, name);
}

function mismatch(dir: string, what: string, actual: string, expected: string): BalsaError {
  return new BalsaError("identity-mismatch", `${dir} belongs to ${what} ${actual}, not to ${what} ${expected}`);
}

/** As etcd's tools print IDs. */
function hex(id: number): string {
  return id.toString(16);
}
