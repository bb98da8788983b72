import { describe, expect, test } from "vitest";
import { formatAddress, parseAddress } from "../../src/platform/index.js";

describe("addresses", () => {
  test.each([
    ["127.0.0.1:2380", "127.0.0.1", 2380],
    ["localhost:0", "localhost", 0],
    ["node-1.example.org:65535", "node-1.example.org", 65535],
    ["[::1]:2380", "::1", 2380],
    ["[fe80::1%eth0]:1", "fe80::1%eth0", 1],
    ["a:07", "a", 7],
  ])("%s is host and port", (text, host, port) => {
    expect(parseAddress(text)).toEqual({ host, port });
  });

  test.each(["", "a", "a:", ":1", "a:b", "a:1:2", "::1:2", "[]:1", "[a]b:1", "a:65536", "a:-1", "a:1 ", "http://a:1"])(
    "%o is no address",
    (text) => {
      expect(parseAddress(text)).toBeUndefined();
    },
  );

  test("formatting puts IPv6 hosts into brackets, and parses back", () => {
    expect(formatAddress("::1", 7)).toBe("[::1]:7");
    expect(formatAddress("a.b", 7)).toBe("a.b:7");
    expect(parseAddress(formatAddress("fe80::2", 9))).toEqual({ host: "fe80::2", port: 9 });
  });
});
