//! What the benchmarks measure with: processes, samples, descriptors.
use crate::emit;
use serde_json::{json, Value};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// A child process that is killed when it is dropped.
pub struct Proc(pub Child);
impl Drop for Proc {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a program of this crate and waits for the word that says it serves.
pub fn spawn(bin: &str, args: &[&str], ready: &str) -> Proc {
    let exe = std::env::current_exe().unwrap().with_file_name(bin);
    let mut c = Command::new(exe).args(args).stdout(Stdio::piped()).spawn().unwrap();
    let mut r = BufReader::new(c.stdout.take().unwrap());
    let mut l = String::new();
    let mut seen = String::new();
    while !l.contains(ready) {
        l.clear();
        assert!(r.read_line(&mut l).unwrap() > 0, "{bin} exited before {ready}: {seen}");
        seen += &l;
    }
    std::thread::spawn(move || for _ in r.lines() {});
    Proc(c)
}

/// Percentiles of samples in nanoseconds, as JSON in microseconds.
pub fn pct(mut v: Vec<u64>, secs: f64) -> Value {
    v.sort_unstable();
    let at = |q: f64| v[((v.len() - 1) as f64 * q) as usize] as f64 / 1000.0;
    json!({"n": v.len(), "per_sec": (v.len() as f64 / secs) as u64, "p50_us": at(0.5), "p95_us": at(0.95), "p99_us": at(0.99), "max_us": at(1.0)})
}

/// `clients` threads call `f` back to back for `secs`; every call is one sample.
pub fn load(name: &str, clients: usize, secs: f64, f: impl Fn() + Sync) -> Value {
    for _ in 0..50 {
        f();
    }
    let (stop, t0) = (AtomicBool::new(false), Instant::now());
    let all: Vec<u64> = std::thread::scope(|s| {
        let hs: Vec<_> = (0..clients)
            .map(|_| {
                s.spawn(|| {
                    let mut v = vec![];
                    while !stop.load(Relaxed) {
                        let t = Instant::now();
                        f();
                        v.push(t.elapsed().as_nanos() as u64);
                    }
                    v
                })
            })
            .collect();
        std::thread::sleep(Duration::from_secs_f64(secs));
        stop.store(true, Relaxed);
        hs.into_iter().flat_map(|h| h.join().unwrap()).collect()
    });
    let mut r = pct(all, t0.elapsed().as_secs_f64());
    r["bench"] = json!(name);
    r["clients"] = json!(clients);
    emit(r.clone());
    r
}

/// Nanoseconds of one call, over a time in seconds.
pub fn ns(name: &str, budget: f64, mut f: impl FnMut()) {
    for _ in 0..100 {
        f();
    }
    let (t, mut n) = (Instant::now(), 0u64);
    while t.elapsed().as_secs_f64() < budget {
        for _ in 0..100 {
            f();
        }
        n += 100;
    }
    emit(json!({"bench": name, "ns_per_op": t.elapsed().as_nanos() as u64 / n, "n": n}));
}

/// Memory, threads and descriptors of a process.
pub fn proc_info(name: &str, pid: u32) {
    let s = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let k = |k: &str| {
        s.lines().find(|l| l.starts_with(k)).and_then(|l| l.split_whitespace().nth(1)?.parse::<u64>().ok())
    };
    let fds = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count();
    let pss = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok().and_then(|s| {
        s.lines()
            .find(|l| l.starts_with("Pss:"))
            .and_then(|l| l.split_whitespace().nth(1)?.parse::<u64>().ok())
    });
    emit(
        json!({"bench": name, "rss_kib": k("VmRSS"), "pss_kib": pss, "hwm_kib": k("VmHWM"), "anon_kib": k("RssAnon"), "threads": k("Threads"), "fds": fds}),
    );
}

/// Runs `f` in a child of its own memory.
pub fn fork(f: impl FnOnce()) -> i32 {
    unsafe {
        let p = libc::fork();
        if p == 0 {
            f();
            libc::_exit(0);
        }
        p
    }
}

/// Ends such a child.
pub fn reap(p: i32) {
    unsafe {
        libc::kill(p, libc::SIGKILL);
        libc::waitpid(p, std::ptr::null_mut(), 0);
    }
}

/// sendmsg: some bytes and one descriptor.
pub fn send_fd(sock: i32, fd: i32, body: &[u8]) {
    unsafe {
        let mut ctl = [0u64; 4];
        let mut iov = libc::iovec { iov_base: body.as_ptr() as *mut _, iov_len: body.len() };
        let mut m: libc::msghdr = std::mem::zeroed();
        (m.msg_iov, m.msg_iovlen, m.msg_control, m.msg_controllen) =
            (&mut iov, 1, ctl.as_mut_ptr().cast(), libc::CMSG_SPACE(4) as _);
        let h = libc::CMSG_FIRSTHDR(&m);
        ((*h).cmsg_level, (*h).cmsg_type, (*h).cmsg_len) =
            (libc::SOL_SOCKET, libc::SCM_RIGHTS, libc::CMSG_LEN(4) as _);
        *libc::CMSG_DATA(h).cast::<i32>() = fd;
        assert!(libc::sendmsg(sock, &m, libc::MSG_NOSIGNAL) == body.len() as isize);
    }
}

/// One byte there and back.
pub fn byte(s: &mut UnixStream) {
    s.write_all(b"x").unwrap();
    s.read_exact(&mut [0u8; 1]).unwrap();
}
