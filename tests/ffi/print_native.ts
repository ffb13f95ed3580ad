import process from "node:process";
import { loadLibc } from "../../ffi/load_libc.ts";
import { loadNative } from "../../ffi/native.ts";

// Run as a program of its own by the tests of loading: prints what was loaded, or the reason why not.
const [libc, native] = await Promise.all([loadLibc(), loadNative()]);
process.stdout.write(JSON.stringify({
  ok: native.ok,
  binding: libc.ok ? libc.binding : undefined,
  reason: native.ok ? undefined : native.reason,
}));
