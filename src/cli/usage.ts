// This module has no I/O.

/** Name of the command, frozen for the life of v1 (protocol 11.1). */
export const COMMAND_NAME = "running-process-broker-v1";

/** What `--help` prints. */
export const USAGE = `usage: ${COMMAND_NAME} [--socket ENDPOINT] COMMAND [OPTIONS]

ask the broker behind ENDPOINT, or without one say what this host says by itself:
  status [--json]         who it is and whether it answers Hellos
  dump --json             backends, spawn budgets, settings, recent events
  list-instances --json   the broker's instance
  healthz                 ok
  readyz                  ready, or exit code 1
  backend-health SERVICE --json
  config --effective --json
  diagnose                what a bundle would hold
    --output FILE           write it to a new file (tar.gz, redacted)
  metrics                 OpenMetrics
  shutdown                stop it and wait until it is gone; needs an ENDPOINT
    --drain-ms N            how long what is under way may take to end (default 10000)

find out what is wrong with this host; nothing is changed:
  doctor [--json]         exit code 1 when a check failed
    --service-def-dir DIR   directory of the service definitions

define a service:
  servicedef install --service NAME --binary-path PATH
    --isolation KIND        private (default), shared or explicit
    --explicit-instance I   name of the instance, for explicit
    --min-version VERSION   the lowest version to serve
    --allow-version VERSION serve only this one; may be repeated
    --per-version-binary-dir DIR
    --service-def-dir DIR   where to write it
    --json                  say in JSON where it was written

serve:
  --serve SOCKET          serve a broker in front of one running backend
    --service NAME          name of the service (required)
    --version VERSION       version of the backend (required)
    --backend-endpoint E    endpoint that clients dial (required)
    --service-def-dir DIR   directory of the service definitions
    --handoff-endpoint E    endpoint that takes handed-over connections
    --identity-file FILE    accept only the backend that wrote this file
    --max-connections N     stop after N connections
    --hello-rate N          Hellos a second and process, 0: no limit (default 256)
  --serve-once SOCKET     answer one Hello, as a broker without services, and stop

  --serve-launch SOCKET   serve a broker that launches backends when they are asked for
    --service-def-dir DIR   directory of the service definitions
    --max-connections N     stop after N connections
    --hello-rate N          Hellos a second and process, 0: no limit (default 256)
  -V, --version           print the version
  -h, --help              print this

Without --socket the endpoint is that of RUNNING_PROCESS_BROKER_V1_SOCKET, if it is set.
With RP_BROKER_LOG_FORMAT=json a broker writes its log as JSON, an object a line.
A broker exits with 75 when another one serves its SOCKET already.
As root it refuses to run unless RUNNING_PROCESS_BROKER_ALLOW_PRIVILEGED is 1.
`;
