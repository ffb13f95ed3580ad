import type { SystemAccess } from "../../src/host/system_access.ts";
import type { Environment, Platform } from "../../src/naming/platform.ts";

/** The answers of a host that is not this one. A missing answer is "no such file". */
export interface FakeAnswers {
  readonly platform: Platform;
  readonly environment?: Environment;
  readonly files?: Readonly<Record<string, string | Error>>;
  readonly links?: Readonly<Record<string, string | Error>>;
  /** By the tool's file name. */
  readonly tools?: Readonly<Record<string, string | Error>>;
}

/** An error as the runtime reports it. */
export function osError(code: string, errno: number): Error {
  return Object.assign(new Error(`${code}: as the runtime says it`), { code, errno });
}

/** A host with the given answers. */
export function fakeSystem(answers: FakeAnswers): SystemAccess {
  const look = (from: Readonly<Record<string, string | Error>> | undefined, key: string) => {
    const found = from?.[key] ?? osError("ENOENT", -2);
    return found instanceof Error ? Promise.reject(found) : Promise.resolve(found);
  };
  return {
    platform: answers.platform,
    environment: answers.environment ?? {},
    readText: (path) => look(answers.files, path),
    readLink: (path) => look(answers.links, path),
    realPath: (path) => Promise.resolve(path),
    run: (command, args) => look(answers.tools, `${command.split(/[\\/]/).at(-1)} ${args.join(" ")}`),
  };
}
