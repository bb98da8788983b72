import { RaftNode as Member, type RaftNodeOptions as MemberOptions } from "./node/index.js";
import { type Logger, type Platform, silentLogger } from "./platform/index.js";
import { nodePlatform } from "./platform/node/index.js";

export interface RaftNodeOptions extends Omit<MemberOptions, "platform"> {
  /** Default: Node's own clock, disk, network and randomness. */
  readonly platform?: Platform | undefined;
  /** Where the default platform's messages go. Default: nowhere. */
  readonly logger?: Logger | undefined;
}

export type RaftNode = Member;

export const RaftNode: { open(options: RaftNodeOptions): Promise<RaftNode> } = {
  /** As `RaftNode.open` of `balsa/node`, with Node's platform unless another is given. */
  open: (options) =>
    Member.open({ ...options, platform: options.platform ?? nodePlatform({ logger: options.logger ?? silentLogger }) }),
};
