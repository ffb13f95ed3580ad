// This module has no I/O.

/** How one test ended. */
export type CaseOutcome = "passed" | "failed" | "skipped" | "unfinished";

/** One test that has no tests inside. */
export interface TestCase {
  /** The titles from the outermost group inwards, joined by " > ". */
  name: string;
  outcome: CaseOutcome;
  /** Why it was skipped, where the runtime tells. */
  reason: string | undefined;
}

const TAG = /<(\/?)(testsuite|testcase|skipped|failure|error)\b((?:\s+[\w:.-]+="[^"]*")*)\s*(\/?)>/g;
const ENTITIES: Readonly<Record<string, string>> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };
const SEPARATOR = " > ";

/** Reads the tests out of a JUnit report as Deno, Bun or Node writes it. */
export function parseJUnit(xml: string): TestCase[] {
  const cases: TestCase[] = [];
  const groups: string[] = [];
  let open: TestCase | undefined;
  for (const [, slash, tag = "", attributeText = "", selfClosing] of xml.matchAll(TAG)) {
    const attributes = readAttributes(attributeText);
    if (slash === "/") {
      if (tag === "testsuite") groups.pop();
      if (tag === "testcase") open = undefined;
    } else if (tag === "testsuite") {
      if (selfClosing !== "/") groups.push(groupTitle(attributes));
    } else if (tag === "testcase") {
      const name = [...groups, attributes.get("name") ?? ""].filter((part) => part !== "").join(SEPARATOR);
      open = { name, outcome: "passed", reason: undefined };
      cases.push(open);
      if (selfClosing === "/") open = undefined;
    } else if (open !== undefined) {
      readOutcome(open, tag, attributes);
    }
  }
  return withoutParents(cases);
}

/** Files are test suites, too; only the titles people wrote belong to a name. */
function groupTitle(attributes: ReadonlyMap<string, string>): string {
  const name = attributes.get("name") ?? "";
  return /\.[cm]?[jt]s$/.test(name) ? "" : name;
}

function readOutcome(open: TestCase, tag: string, attributes: ReadonlyMap<string, string>): void {
  if (tag !== "skipped") {
    open.outcome = "failed";
    return;
  }
  const message = attributes.get("message") ?? "";
  const isUnfinished = attributes.get("type") === "todo" || message.toLowerCase() === "todo";
  open.outcome = isUnfinished ? "unfinished" : "skipped";
  // Node writes "true" for a skip without a text.
  open.reason = message === "" || message === "true" ? undefined : message;
}

/** Deno lists a parent beside its subtests; it counts by itself only when it alone failed. */
function withoutParents(cases: readonly TestCase[]): TestCase[] {
  return cases.filter((parent) => {
    const children = cases.filter(({ name }) => name.startsWith(parent.name + SEPARATOR));
    if (children.length === 0) return true;
    return parent.outcome === "failed" && children.every(({ outcome }) => outcome !== "failed");
  });
}

function readAttributes(text: string): Map<string, string> {
  return new Map(
    [...text.matchAll(/([\w:.-]+)="([^"]*)"/g)].map(([, key = "", value = ""]) => [key, decode(value)]),
  );
}

function decode(text: string): string {
  return text.replace(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi, (whole, decimal, hex, name) => {
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
    if (hex !== undefined) return String.fromCodePoint(parseInt(hex, 16));
    return ENTITIES[name] ?? whole;
  });
}
