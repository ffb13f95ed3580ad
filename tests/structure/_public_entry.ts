import { execFileSync } from "node:child_process";
import process from "node:process";
import * as entry from "../../mod.ts";
import { projectFile } from "../support/project.ts";

/** Any part of what `deno doc --json` prints. */
type Doc = { readonly [key: string]: unknown } | readonly unknown[];

/** A counterpart: `Name`, `Name.member` or `Name "variant"`. */
const COUNTERPART = /^(\w+)(?:\.(\w+)| "([\w-]+)")?$/;

/** What the public entry exports, types included. Runs in Deno only, whose `deno doc` knows the types. */
export class PublicEntry {
  readonly #symbols = new Map<string, Doc>();

  constructor() {
    const args = ["doc", "--json", projectFile("mod.ts")];
    const output = execFileSync(process.execPath, args, { encoding: "utf8", maxBuffer: 1 << 28 });
    const { nodes } = JSON.parse(output);
    for (const { symbols } of Object.values<{ symbols: { name: string; declarations: Doc }[] }>(nodes)) {
      for (const { name, declarations } of symbols) this.#symbols.set(name, declarations);
    }
  }

  /** @returns What is missing; `undefined` when the counterpart is there. */
  missing(counterpart: string): string | undefined {
    const [, name = "", member, variant] = COUNTERPART.exec(counterpart) ?? [];
    const doc = this.#symbols.get(name);
    if (doc === undefined) return `mod.ts exports no "${name}"`;
    if (member !== undefined && !this.#hasMember(doc, member)) return `"${name}" has no "${member}"`;
    if (variant !== undefined && !hasVariant(name, doc, variant)) return `"${name}" has no "${variant}"`;
    return undefined;
  }

  #hasMember(doc: Doc, member: string): boolean {
    const isMember = (key: string, value: unknown) => {
      if (key !== "properties" && key !== "methods") return false;
      return (value as { name: string }[]).some(({ name }) => name === member);
    };
    if (someEntry(doc, isMember)) return true;
    const isInherited = (key: string, value: unknown) => {
      const base = key === "extends" && typeof value === "string" ? this.#symbols.get(value) : undefined;
      return base !== undefined && this.#hasMember(base, member);
    };
    return someEntry(doc, isInherited);
  }
}

function hasVariant(name: string, doc: Doc, variant: string): boolean {
  const value = (entry as Readonly<Record<string, unknown>>)[name];
  if (Array.isArray(value)) return value.includes(variant);
  return someEntry(doc, (key, text) => key === "string" && text === variant);
}

/** Whether any entry at any depth of a documentation tree is wanted. */
function someEntry(doc: unknown, isWanted: (key: string, value: unknown) => boolean): boolean {
  if (typeof doc !== "object" || doc === null) return false;
  return Object.entries(doc).some(([key, value]) => isWanted(key, value) || someEntry(value, isWanted));
}
