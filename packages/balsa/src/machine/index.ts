export type { SessionOptions } from "./session.js";
export { resultOf, Session } from "./session.js";
export type { SessionLimits } from "./session-limits.js";
export type { SessionMember } from "./session-member.js";
export type { SessionedStateMachine } from "./with-sessions.js";
export { withoutSession, withSessions } from "./with-sessions.js";
