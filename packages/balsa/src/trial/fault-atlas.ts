/** What the atlas goes by. */
export interface Damageable {
  /** Its disk is damaged, and not known to be repaired. */
  readonly isRotten: boolean;
  readonly record: { readonly hasLostDisk: boolean; readonly hasTakenPart: boolean };
}

/**
 * Whether this one's disk may be damaged, such that its peers can still repair it, given what is damaged of theirs
 * (docs/repair.md). A majority stays whole: it has all that is committed and knows of every leader that there was, and
 * elects one whose log stands in for what only the damaged ones had.
 *
 * For groups whose members stay who they are.
 */
export function mayRot<Member extends Damageable>(member: Member, members: readonly Member[]): boolean {
  if (members.some(({ record }) => record.hasLostDisk || !record.hasTakenPart)) return false;
  const rotten = members.filter(({ isRotten }) => isRotten).length;
  return !member.isRotten && (rotten + 1) * 2 < members.length;
}
