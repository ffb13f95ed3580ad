// An echo backend for a broker that launches it: everything about its place comes from the environment.
import "./start_record.ts";
import "./echo_backend.ts";
