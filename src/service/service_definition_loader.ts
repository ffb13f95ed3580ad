import { closeSync, fstatSync, openSync, readFileSync, statSync } from "node:fs";
import { open, stat } from "node:fs/promises";
import { type FileIdentity, fileIdentity, isSameFile, isSettled } from "../host/file_identity.ts";
import { type DirectoryAccess, directoryAccess } from "../host/private_directory.ts";
import type { ServiceDefinition } from "../wire/gen/broker_v1_service_def_pb.ts";
import {
  asIoError,
  ioError,
  readServiceDefinition,
  requirePrivate,
  serviceDefinitionPath,
} from "./service_definition_file.ts";

/** The largest file believed to be a service definition; real ones have a few hundred bytes. */
const FILE_BYTES_MAX = 1024n * 1024n;

/** Definitions kept in memory. Beyond it the oldest is read again when it is asked for. */
const DEFINITIONS_MAX = 1024;

/** A definition and the state of the file it was read from. */
interface LoadedDefinition {
  readonly identity: FileIdentity;
  readonly definition: ServiceDefinition;
  /** What directory and file looked like before they were last found in order. */
  looks: Looks | undefined;
}

/** A directory and a file in it, as a cheaper call shows them. */
interface Looks {
  readonly directory: Uint8Array;
  readonly path: string;
  readonly file: Uint8Array;
}

/** What the loader needs besides its directory. */
export interface ServiceDefinitionLoaderOptions {
  /** The clock of file times: milliseconds since the Unix epoch. */
  readonly nowMs?: () => number;
  /** How directories are kept private. */
  readonly access?: DirectoryAccess;
  /**
   * Shows owner, mode, device, inode, size and times of a file as bytes, which saves status calls: `known`, an
   * earlier look, itself when nothing has changed; `undefined` when it cannot.
   */
  readonly look?: ((path: string, known?: Uint8Array) => Uint8Array | undefined) | undefined;
}

/** The runtime's file status, as far as it is used. */
type Status = Parameters<typeof fileIdentity>[0] & { isFile(): boolean };

/**
 * Loads service definitions anew for each Hello (protocol 4.2), reading only files that changed.
 *
 * Every load checks the directory's privacy and the file's status; the file is read and decoded again when its
 * device, inode, size or times differ. Definitions are shared between loads and frozen.
 */
export class ServiceDefinitionLoader {
  /** The directory of definitions. */
  readonly directory: string;
  readonly #loaded = new Map<string, LoadedDefinition>();
  readonly #nowMs: () => number;
  readonly #access: DirectoryAccess;
  readonly #look: NonNullable<ServiceDefinitionLoaderOptions["look"]>;

  /**
   * Makes a loader that has read nothing yet.
   *
   * @param directory The directory of definitions.
   * @param options Clock, and how directories are kept private.
   */
  constructor(directory: string, options: ServiceDefinitionLoaderOptions = {}) {
    this.directory = directory;
    this.#nowMs = options.nowMs ?? Date.now;
    this.#access = options.access ?? directoryAccess;
    this.#look = options.look ?? (() => undefined);
  }

  /**
   * Loads one definition. In Deno it requires `--allow-read` for the directory.
   *
   * @param service The service's name as requested.
   * @throws {ServiceDefinitionError} When there is none, or none that may be used.
   */
  async load(service: string): Promise<Readonly<ServiceDefinition>> {
    try {
      requirePrivate(await this.#access.isPrivate(this.directory), this.directory);
      const path = serviceDefinitionPath(this.directory, service);
      const fresh = this.#fresh(service, await stat(path, { bigint: true }));
      if (fresh !== undefined) return fresh;
      const file = await open(path, "r");
      try {
        const status = await file.stat({ bigint: true });
        return this.#take(service, status, this.#nowMs(), await file.readFile());
      } finally {
        await file.close();
      }
    } catch (error) {
      throw asIoError(error);
    }
  }

  /**
   * The same without waiting, for the path that runs on every Hello: two status calls when nothing changed.
   *
   * @param service The service's name as requested.
   * @throws {ServiceDefinitionError} When there is none, or none that may be used.
   */
  loadSync(service: string): Readonly<ServiceDefinition> {
    const known = this.#loaded.get(service);
    if (known?.looks !== undefined && this.#looksTheSame(known.looks)) return known.definition;
    const looks = this.#looks(service);
    const definition = this.#check(service);
    const loaded = this.#loaded.get(service);
    if (loaded !== undefined) loaded.looks = looks;
    return definition;
  }

  /** Taken before the checks: what changes meanwhile shows in the next one. */
  #looks(service: string): Looks | undefined {
    if (!this.#loaded.has(service)) return undefined;
    const directory = this.#look(this.directory);
    if (directory === undefined) return undefined;
    const path = serviceDefinitionPath(this.directory, service);
    const file = this.#look(path);
    return file === undefined ? undefined : { directory, path, file };
  }

  #looksTheSame({ directory, path, file }: Looks): boolean {
    return this.#look(this.directory, directory) === directory && this.#look(path, file) === file;
  }

  #check(service: string): Readonly<ServiceDefinition> {
    try {
      requirePrivate(this.#access.isPrivateSync(this.directory), this.directory);
      const path = serviceDefinitionPath(this.directory, service);
      const fresh = this.#fresh(service, statSync(path, { bigint: true }));
      if (fresh !== undefined) return fresh;
      const file = openSync(path, "r");
      try {
        const status = fstatSync(file, { bigint: true });
        return this.#take(service, status, this.#nowMs(), readFileSync(file));
      } finally {
        closeSync(file);
      }
    } catch (error) {
      throw asIoError(error);
    }
  }

  /** Checked by path before the file is opened too: opening a pipe would wait for its writer. */
  #fresh(service: string, status: Status): ServiceDefinition | undefined {
    requireReadable(status);
    const loaded = this.#loaded.get(service);
    return loaded !== undefined && isSameFile(loaded.identity, fileIdentity(status))
      ? loaded.definition
      : undefined;
  }

  #take(service: string, status: Status, readMs: number, bytes: Uint8Array): ServiceDefinition {
    const definition = frozen(readServiceDefinition(bytes, service));
    const identity = fileIdentity(status);
    if (!isSettled(identity, readMs)) return definition;
    const oldest = this.#loaded.size < DEFINITIONS_MAX ? undefined : this.#loaded.keys().next().value;
    if (oldest !== undefined) this.#loaded.delete(oldest);
    this.#loaded.set(service, { identity, definition, looks: undefined });
    return definition;
  }
}

function requireReadable(status: Status): void {
  if (!status.isFile()) throw ioError("not a regular file");
  if (status.size > FILE_BYTES_MAX) throw ioError(`file has ${status.size} bytes, at most ${FILE_BYTES_MAX}`);
}

/** Loads share the definition, so nobody may write to it. */
function frozen(definition: ServiceDefinition): ServiceDefinition {
  Object.freeze(definition.versionAllowList);
  Object.freeze(definition.labels);
  return Object.freeze(definition);
}
