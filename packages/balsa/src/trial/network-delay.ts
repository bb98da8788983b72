import type { Prng } from "../sim/index.js";
import type { NetworkSettings } from "./scenario.js";

/** How members are called, which is also their host's name. */
export function memberName(number: number): string {
  return `m${number + 1}`;
}

/** How long a piece takes, µs. */
export function delayOf(network: NetworkSettings): (prng: Prng, from: string, to: string) => number {
  const { delayUs, tailChance, tailUs, slowByUs } = network;
  const slow = new Set(network.slowMembers.map(memberName));
  return (prng, from, to) => {
    const [least, most] = prng.chance(tailChance) ? tailUs : delayUs;
    return prng.between(least, most) + (slow.has(from) || slow.has(to) ? slowByUs : 0);
  };
}
