import { expect, it, onTestFinished } from "vitest";
import { ExampleProject, examples, examplesOf, exampleWith, promisedOutput } from "./example-project.js";

// The etcd client is run by start.test.ts, which has a cluster for it.
it("the README has two examples in TypeScript: the embedded counter and the etcd client", () => {
  expect(examples).toHaveLength(2);
});

it("the README's embedded counter compiles, runs as it stands, and prints what its comments say", async () => {
  const example = exampleWith("RaftNode.open");
  const project = new ExampleProject(example, { balsa: "packages/balsa" });
  onTestFinished(() => project.remove());
  expect(project.compilerComplaints()).toBe("");
  expect(await project.run()).toBe(promisedOutput(example));
});

it("the package's own page has the same counter", () => {
  expect(examplesOf("packages/balsa/README.md")).toEqual([exampleWith("RaftNode.open")]);
});

it("the page on sessions has an example that compiles, runs as it stands, and prints what its comments say", async () => {
  const [example = "", ...others] = examplesOf("docs/sessions.md");
  expect(others).toEqual([]);
  const project = new ExampleProject(example, { balsa: "packages/balsa" });
  onTestFinished(() => project.remove());
  expect(project.compilerComplaints()).toBe("");
  expect(await project.run()).toBe(promisedOutput(example));
});
