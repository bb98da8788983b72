import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import protobuf from "protobufjs";
import { describe, expect, it } from "vitest";
import { messageCodec, services } from "../../src/wire/schema.js";

/** Field by field: number, type and whether it repeats; names differ in case between files and don't travel. */
function fieldsOf(type: protobuf.Type): Record<string, string> {
  return Object.fromEntries(
    type.fieldsArray.map((field) => [
      field.id,
      `${field.repeated ? "repeated " : ""}${field.type.replace(/^.*\./, "")} ${field.name}`,
    ]),
  );
}

function typesOf(root: protobuf.Root): Map<string, protobuf.Type> {
  const types = new Map<string, protobuf.Type>();
  const collect = (namespace: protobuf.NamespaceBase): void => {
    for (const nested of namespace.nestedArray) {
      if (nested instanceof protobuf.Type) types.set(nested.fullName, nested);
      if (nested instanceof protobuf.Namespace) collect(nested);
    }
  };
  collect(root);
  return types;
}

function parse(dir: string | URL, files: readonly string[]): protobuf.Root {
  const root = new protobuf.Root();
  for (const file of files) protobuf.parse(readFileSync(new URL(file, dir), "utf8"), root, { keepCase: true });
  root.resolveAll();
  return root;
}

const etcd3 = dirname(createRequire(import.meta.url).resolve("etcd3/package.json"));
const theirs = parse(new URL(`file://${join(etcd3, "proto/")}`), ["kv.proto", "auth.proto", "rpc.proto"]);
const ours = parse(new URL("../../proto/", import.meta.url), ["mvccpb.proto", "authpb.proto", "etcdserverpb.proto"]);

describe("the protocol files", () => {
  const known = typesOf(theirs);

  it.each([...typesOf(ours)].filter(([name]) => !name.startsWith(".balsa")))(
    "%s is what etcd's clients send",
    (name, type) => {
      const other = known.get(name);
      expect(other, "an etcd client knows it").toBeDefined();
      if (other === undefined) return;
      const expected = fieldsOf(other);
      // Of a later API than the one that is served.
      if (name === ".etcdserverpb.MemberListRequest") delete expected["1"];
      expect(fieldsOf(type)).toEqual(expected);
    },
  );

  it("declare every service and method of etcd 3.4", () => {
    const methods = services().flatMap(({ name, methods: list }) =>
      list.map(
        (method) => `${name}/${method.name}${method.requestStream ? " in" : ""}${method.responseStream ? " out" : ""}`,
      ),
    );
    const expected = theirs.lookup("etcdserverpb") as protobuf.Namespace;
    const later = ["Maintenance/Downgrade", "Auth/AuthStatus"];
    const known34 = expected.nestedArray
      .filter((nested) => nested instanceof protobuf.Service)
      .flatMap((service) =>
        service.methodsArray
          .filter((method) => !later.includes(`${service.name}/${method.name}`))
          .map(
            (method) =>
              `etcdserverpb.${service.name}/${method.name}${method.requestStream === true ? " in" : ""}${method.responseStream === true ? " out" : ""}`,
          ),
      );
    expect(methods.toSorted()).toEqual(known34.toSorted());
  });

  it("turn what is no such message into an error", () => {
    expect(() => messageCodec("etcdserverpb.PutRequest").decode(Uint8Array.of(10, 200))).toThrow("index out of range");
  });
});
