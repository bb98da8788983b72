import { EtcdState } from "../machine/etcd-state.js";
import type { KeyVersion } from "../mvcc/key-version.js";

/** What a key's versions came to when they were last looked at. */
interface KnownKey {
  readonly newest: KeyVersion;
  readonly digest: number;
}

const FIRST = 0x811c9dc5;

/**
 * The state with a number that names it, the same on every member that holds the same: current and compacted revision and
 * each version of each key that can be asked for, tombstones included. Of a key that was written to since the last time only
 * the new version is gone through; of one that lost versions to a compaction, all that is left.
 */
export class DigestedState extends EtcdState {
  readonly #known = new Map<string, KnownKey>();

  get digest(): number {
    const { revision, compactedRevision, keys } = this.store.freeze();
    let digest = mixed(mixed(FIRST, revision), compactedRevision);
    for (const { newest } of keys.histories()) digest = mixed(digest, this.#digestOf(newest));
    return digest;
  }

  #digestOf(newest: KeyVersion): number {
    const known = this.#known.get(newest.key);
    if (known?.newest === newest) return known.digest;
    const unseen: KeyVersion[] = [];
    let at: KeyVersion | undefined = newest;
    for (; at !== undefined && at !== known?.newest; at = at.previous) unseen.push(at);
    let digest = known !== undefined && at === known.newest ? known.digest : FIRST;
    for (const version of unseen.reverse()) digest = withVersion(digest, version);
    this.#known.set(newest.key, { newest, digest });
    return digest;
  }
}

function withVersion(before: number, version: KeyVersion): number {
  let digest = withText(withText(before, version.key), version.value);
  digest = mixed(digest, version.createRevision);
  digest = mixed(digest, version.modRevision);
  digest = mixed(digest, version.sub);
  digest = mixed(digest, version.version);
  return version.lease === 0n ? digest : withText(digest, String(version.lease));
}

function withText(before: number, text: string): number {
  let digest = mixed(before, text.length);
  for (let i = 0; i < text.length; i += 1) digest = mixed(digest, text.charCodeAt(i));
  return digest;
}

/** One step of murmur3; of a number beyond 32 bits the lower ones count, as `Math.imul` has it. */
function mixed(digest: number, number: number): number {
  let k = Math.imul(number, 0xcc9e2d51);
  k = Math.imul((k << 15) | (k >>> 17), 0x1b873593);
  const h = digest ^ k;
  return (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
}
