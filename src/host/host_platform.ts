import process from "node:process";
import type { Platform } from "../naming/platform.ts";

/** Whose rules this process follows; every Unix but macOS counts as Linux. */
export function hostPlatform(): Platform {
  if (process.platform === "win32") return "windows";
  return process.platform === "darwin" ? "macos" : "linux";
}
