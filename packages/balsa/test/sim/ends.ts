/** Connections in a world, seen from both ends. */
import type { CloseReason, Connection, ConnectionHandlers } from "../../src/platform/index.js";
import type { WireOptions, WorldNode } from "../../src/sim/index.js";
import { World } from "../../src/sim/index.js";

/** One end of a connection that remembers all it was told. */
export class End implements ConnectionHandlers {
  connection: Connection | undefined;
  isOpen = false;
  readonly pieces: Uint8Array[] = [];
  readonly reasons: CloseReason[] = [];
  onOpen(): void {
    this.isOpen = true;
  }
  onData(bytes: Uint8Array): void {
    this.pieces.push(bytes);
  }
  onDrain(): void {}
  onClose(reason: CloseReason): void {
    this.reasons.push(reason);
  }
  get received(): number[] {
    return this.pieces.flatMap((bytes) => [...bytes]);
  }
  get outcome(): string {
    return this.reasons.map((reason) => reason.kind).join();
  }
  write(...values: number[]): void {
    this.connection?.write([new Uint8Array(values)]);
  }
}

export interface Link {
  readonly world: World;
  readonly a: WorldNode;
  readonly b: WorldNode;
  /** a dialled. */
  readonly atA: End;
  readonly atB: End;
}

export async function listen(world: World, node: WorldNode): Promise<End[]> {
  const ends: End[] = [];
  await world.settle(
    node.platform.network.listen(`${node.name}:1`, (connection) => {
      const end = new End();
      end.connection = connection;
      ends.push(end);
      return end;
    }),
  );
  return ends;
}

export function dial(from: WorldNode, address: string): End {
  const end = new End();
  end.connection = from.platform.network.connect(address, end);
  return end;
}

export async function connect(seed: number | string, network: Partial<WireOptions> = {}): Promise<Link> {
  const world = new World({ seed, network });
  const [a, b] = [world.addNode("a"), world.addNode("b")];
  const accepted = await listen(world, b);
  const atA = dial(a, "b:1");
  await world.run({ until: () => atA.isOpen });
  const atB = accepted[0];
  if (atB === undefined) throw new Error("b must have accepted");
  return { world, a, b, atA, atB };
}
