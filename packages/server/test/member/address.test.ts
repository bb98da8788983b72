import { describe, expect, it } from "vitest";
import { addressOfUrl, initialClusterOf, urlsOf } from "../../src/member/address.js";

describe("URLs of the flags", () => {
  it.each([
    ["http://127.0.0.1:2379", "127.0.0.1:2379"],
    ["http://localhost:2379/", "localhost:2379"],
    ["http://[::1]:2379", "[::1]:2379"],
    ["http://0.0.0.0:0", "0.0.0.0:0"],
  ])("%s is the address %s", (url, address) => {
    expect(addressOfUrl("--flag", url)).toBe(address);
  });

  it.each(["127.0.0.1:2379", "http://127.0.0.1", "http://", "", "http://a:1/path", "http://a b:1"])(
    '"%s" is refused, by the name of its flag',
    (url) => {
      expect(() => addressOfUrl("--listen-client-urls", url)).toThrow(
        `--listen-client-urls: "${url}" is not of the form http://host:port`,
      );
    },
  );

  it("https and other schemes are refused by name", () => {
    expect(() => addressOfUrl("--flag", "https://a:1")).toThrow("TLS is not there yet");
    expect(() => addressOfUrl("--flag", "unix://a:1")).toThrow("does not begin with http://");
  });

  it("lists are split at commas", () => {
    expect(urlsOf("--flag", "http://a:1, http://b:2/")).toEqual(["http://a:1", "http://b:2"]);
    expect(() => urlsOf("--flag", "http://a:1,")).toThrow('--flag: ""');
  });

  it("a cluster is a list of names and URLs", () => {
    expect(initialClusterOf("--initial-cluster", "m1=http://a:1,m2=http://b:2")).toEqual([
      { name: "m1", address: "a:1" },
      { name: "m2", address: "b:2" },
    ]);
    expect(() => initialClusterOf("--initial-cluster", "http://a:1")).toThrow("name=http://host:port");
    expect(() => initialClusterOf("--initial-cluster", "=http://a:1")).toThrow("name=http://host:port");
  });
});
