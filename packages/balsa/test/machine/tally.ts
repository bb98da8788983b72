import type { Command, StateMachine } from "../../src/node/index.js";
import { collect } from "./streams.js";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Keeps all commands that took effect, in order, and answers with how many they are. */
export class Tally implements StateMachine {
  texts: string[] = [];

  apply(batch: readonly Command[]): readonly Uint8Array[] {
    return batch.map(({ data }) => {
      this.texts.push(decoder.decode(data));
      return encoder.encode(String(this.texts.length));
    });
  }

  *snapshot(): Iterable<Uint8Array> {
    yield encoder.encode(JSON.stringify(this.texts));
  }

  async restore(content: AsyncIterable<Uint8Array>): Promise<void> {
    this.texts = JSON.parse(decoder.decode(await collect(content))) as string[];
  }
}

export const bytesOf = (text: string): Uint8Array => encoder.encode(text);
export const textOf = (bytes: Uint8Array): string => decoder.decode(bytes);
