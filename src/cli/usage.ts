// This module has no I/O.

/** Name of the command, frozen for the life of v1 (protocol 11.1). */
export const COMMAND_NAME = "running-process-broker-v1";

/** What `--help` prints. */
export const USAGE = `usage: ${COMMAND_NAME} COMMAND [OPTIONS]

commands:
  --serve SOCKET          serve a broker in front of one running backend
    --service NAME          name of the service (required)
    --version VERSION       version of the backend (required)
    --backend-endpoint E    endpoint that clients dial (required)
    --service-def-dir DIR   directory of the service definitions
    --handoff-endpoint E    endpoint that takes handed-over connections
    --identity-file FILE    accept only the backend that wrote this file
    --max-connections N     stop after N connections
    --hello-rate N          Hellos a second and process, 0: no limit (default 256)
  -V, --version           print the version
  -h, --help              print this

As root it refuses to run unless RUNNING_PROCESS_BROKER_ALLOW_PRIVILEGED is 1.
`;
