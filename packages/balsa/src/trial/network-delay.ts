import type { Delay, World } from "../sim/index.js";
import type { NetworkSettings } from "./scenario.js";

/** How members are called, which is also their host's name. */
export function memberName(number: number): string {
  return `m${number + 1}`;
}

/** How long a piece takes on most links. */
export function delayOf({ delayUs, tailChance, tailUs }: NetworkSettings, slowByUs: number = 0): Delay {
  const [least, most] = delayUs;
  const [leastTail, mostTail] = tailUs;
  return (prng) => {
    const usualUs = prng.chance(tailChance) ? prng.between(leastTail, mostTail) : prng.between(least, most);
    return usualUs + slowByUs;
  };
}

/** Makes the ways to and from a member what they are when nothing is wrong. */
export function setUsualLinks(world: World, network: NetworkSettings, machines: number, number: number): void {
  const name = memberName(number);
  for (let other = 0; other < machines; other += 1) {
    if (other === number) continue;
    const isSlow = network.slowMembers.includes(number) || network.slowMembers.includes(other);
    const options = isSlow ? { delayUs: delayOf(network, network.slowByUs) } : undefined;
    world.network.setLink(name, memberName(other), options);
    world.network.setLink(memberName(other), name, options);
  }
}
