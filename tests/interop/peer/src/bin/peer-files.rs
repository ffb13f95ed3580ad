//! peer-files: the files that both implementations write and read, through the crate's public API.
//!   def-read        --dir D --service S             load and validate a .servicedef
//!   identity-read   --path F                        strict read of an identity file
//!   identity-write  --path F --json {DaemonProcess}
//!   manifest-write  (--registry D | --root D) --json {CacheManifest} [--this-host]
//!   manifest-read   --path F                        read and verify the digest
//!   manifest-list   --registry D                    the readable ones of this host and boot
//!   host                                            the identity of this host
use peer::{emit, Args, Field};
use running_process::broker::backend_handle::DaemonProcess;
use running_process::broker::backend_sdk::{try_read_daemon_identity_file, write_daemon_identity_file};
use running_process::broker::host_identity;
use running_process::broker::manifest::{
    enumerate_central, read_manifest, write_to_central_in_dir, write_to_root,
};
use running_process::broker::protocol as p;
use running_process::broker::server::ServiceDefinitionLoader;
use serde_json::{json, Value};
use std::path::Path;

type Res = Result<Value, Box<dyn std::error::Error>>;

fn main() {
    let a = Args::new();
    let done = match a.cmd() {
        "def-read" => ServiceDefinitionLoader::new(a.need("--dir"))
            .load(a.need("--service"))
            .map(|d| d.put())
            .map_err(Into::into),
        "identity-read" => identity_read(a.need("--path").as_ref()),
        "identity-write" => identity_write(&a),
        "manifest-write" => manifest_write(&a),
        "manifest-read" => read_manifest(a.need("--path").as_ref()).map(|m| m.put()).map_err(Into::into),
        "manifest-list" => Ok(Value::Array(
            enumerate_central(a.need("--registry").as_ref()).iter().map(Field::put).collect(),
        )),
        "host" => Ok(host_identity::current().put()),
        other => Err(format!("unknown command {other:?}").into()),
    };
    match done {
        Ok(value) => emit(json!({"event": "done", "value": value})),
        Err(e) => emit(json!({"event": "error", "error": e.to_string()})),
    }
}

fn identity_read(path: &Path) -> Res {
    Ok(try_read_daemon_identity_file(path)?.map(|d| d.to_proto().put()).unwrap_or(Value::Null))
}

fn identity_write(a: &Args) -> Res {
    let v: Value = serde_json::from_str(a.need("--json"))?;
    write_daemon_identity_file(
        a.need("--path").as_ref(),
        &DaemonProcess::try_from(p::DaemonProcess::get(&v))?,
    )?;
    Ok(json!(a.need("--path")))
}

fn manifest_write(a: &Args) -> Res {
    let v: Value = serde_json::from_str(a.need("--json"))?;
    let mut m = p::CacheManifest::get(&v);
    if a.has("--this-host") {
        m.host = Some(host_identity::current());
    }
    if let Some(root) = a.opt("--root") {
        write_to_root(root.as_ref(), &m)?;
        return Ok(json!(Path::new(root).join(".running-process-manifest.pb")));
    }
    Ok(json!(write_to_central_in_dir(
        a.need("--registry").as_ref(),
        &m.service_name.clone(),
        &m.service_version.clone(),
        &m
    )?))
}
