// _mark_socket.ts PATH: marks a socket as a broker of this runtime does, and prints how it tells it from others.
import { lstatSync } from "node:fs";
import process from "node:process";
import { publishMarker } from "../../src/broker/publish_marker.ts";
import { fileKey } from "../../src/host/file_key.ts";

const path = process.argv[2]!;
await publishMarker(path);
console.log(fileKey(lstatSync(path, { bigint: true })));
