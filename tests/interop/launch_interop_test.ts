// run-in: deno
import assert from "node:assert/strict";
import { copyFileSync, readdirSync, readlinkSync, statSync, truncateSync } from "node:fs";
import process from "node:process";
import { BrokerClientError, connectToBackend } from "@running-process/broker";
import { create } from "@bufbuild/protobuf";
import { SERVICE, VERSION } from "../support/topology.ts";
import { defineRustService } from "./_definitions.ts";
import type { Lab } from "./_lab.ts";
import { quirkTest } from "./_quirks.ts";

/**
 * 4.5.7 looks at a child before it runs its program, unless there is a lot to hash first: with so many bytes
 * behind the program's end 40 of 40 launches went well.
 */
const PADDING_BYTES = 96 * 1024 * 1024;
/** What the reference allows in 30 s. */
const LAUNCHES_MAX = 3;
