// This module has no I/O.
import type { Platform } from "./platform.ts";

/**
 * Appends names to a folder, the way the reference joins paths: nothing is normalised, and an empty folder
 * yields a relative path.
 */
export function joinPath(platform: Platform, folder: string, ...names: readonly string[]): string {
  return names.reduce((path, name) => path + separatorAfter(platform, path) + name, folder);
}

function separatorAfter(platform: Platform, path: string): string {
  if (path === "") return "";
  if (platform === "windows") return /[\\/]$/.test(path) ? "" : "\\";
  return path.endsWith("/") ? "" : "/";
}

/**
 * Whether a path names the same file from every working directory.
 *
 * On Windows that takes a drive or a share and a root (`C:\x`, `\\server\share`, `\\?\…`): `\x` is relative to
 * the current drive.
 */
export function isAbsolutePath(platform: Platform, path: string): boolean {
  if (platform !== "windows") return path.startsWith("/");
  return /^[A-Za-z]:[\\/]/.test(path) || /^[\\/]{2}[^\\/]+[\\/]+[^\\/]/.test(path);
}
