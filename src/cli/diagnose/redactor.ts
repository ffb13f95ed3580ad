// This module has no I/O.
import type { SortedJsonObject, SortedJsonValue } from "../../broker/admin/sorted_json.ts";
import { hash16 } from "../../naming/hash16.ts";

/** What a bundle must not say of the host it was made on. */
export interface RedactionFacts {
  /** The user's home directory; `undefined` when there is none. */
  readonly home: string | undefined;
  /** Makes the hashes of identities this host's own, for example the machine's id. */
  readonly salt: string;
}

/** What stands for a secret. */
const SECRET = "[redacted]";

/** Parts of a name that make its value secret. */
const SECRET_NAME = /KEY|TOKEN|SECRET|PASS/;

/** Members whose own members are named by users: there, case says nothing. */
const NAMED_BY_USERS = new Set(["environment", "env", "labels", "extra"]);

/** Members that say who somebody is. */
const IDENTITY_MEMBERS = new Set(["uid", "gid", "sid", "uid_or_sid", "windows_sid"]);

const ASSIGNMENT = /\b(\w*(?:KEY|TOKEN|SECRET|PASS)\w*)=("[^"]*"|'[^']*'|[^\s"',;]+)/g;
const UNIX_IDENTITY = /(\/run\/user\/|\brunning-process-|\.rp-|\b[ug]id[= ])(\d+)(?![\w.])/g;
const WINDOWS_IDENTITY = /\bS-1-\d+(?:-\d+)+\b|\bwindows-sid:[0-9a-f]+\b/g;

/** Makes what a bundle holds unreadable where the redaction policy says so (protocol 6.11). */
export class Redactor {
  readonly #salt: string;
  readonly #home: RegExp | undefined;

  /** Makes a redactor for the bundles of one host. */
  constructor({ home, salt }: RedactionFacts) {
    this.#salt = salt;
    const folder = home?.replace(/[/\\]+$/, "") ?? "";
    // In a text that is JSON already, the separators of Windows are doubled.
    const spellings = [folder, folder.replaceAll("\\", "\\\\")].map((path) =>
      path.replace(/[^\w/]/g, "\\$&")
    );
    this.#home = folder === "" ? undefined : new RegExp(`(?:${spellings.join("|")})(?![\\w.-])`, "g");
  }

  /** A text without home directory, assigned secrets and identities; one that is JSON stays JSON. */
  text(text: string): string {
    const homeless = this.#home === undefined ? text : text.replaceAll(this.#home, "~");
    return homeless
      .replaceAll(ASSIGNMENT, `$1=${SECRET}`)
      .replaceAll(UNIX_IDENTITY, (_, before: string, identity: string) => before + this.#hash(identity))
      .replaceAll(WINDOWS_IDENTITY, (identity) => this.#hash(identity));
  }

  /** A value with every text in it redacted, and whatever belongs to a secret or an identifying name. */
  json(value: SortedJsonValue): SortedJsonValue {
    return this.#json(value, false);
  }

  #json(value: SortedJsonValue, isNamedByUser: boolean): SortedJsonValue {
    if (typeof value === "string") return this.text(value);
    if (typeof value !== "object" || value === null) return value;
    if (Array.isArray(value)) return value.map((item: SortedJsonValue) => this.#json(item, isNamedByUser));
    const members = Object.entries(value as SortedJsonObject);
    return Object.fromEntries(
      members.map(([name, member]) => [this.text(name), this.#member(name, member, isNamedByUser)]),
    );
  }

  #member(name: string, value: SortedJsonValue, isNamedByUser: boolean): SortedJsonValue {
    if (SECRET_NAME.test(isNamedByUser ? name.toUpperCase() : name)) return SECRET;
    const isIdentity = IDENTITY_MEMBERS.has(name) && ["string", "number", "bigint"].includes(typeof value);
    if (isIdentity) return value === "" ? "" : this.#hash(String(value));
    return this.#json(value, NAMED_BY_USERS.has(name));
  }

  /** The same for the same identity on the same host, so that two places of a bundle can be compared. */
  #hash(identity: string): string {
    return `id-${hash16(`${identity}:${this.#salt}`)}`;
  }
}
