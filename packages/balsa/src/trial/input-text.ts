let lastInput: unknown;
let lastText = "";

/** An operation's input as text. It is asked for when its step is announced, and again when it is called: made once. */
export function inputText(input: unknown): string {
  if (input !== lastInput) {
    lastText = JSON.stringify(input);
    lastInput = input;
  }
  return lastText;
}
