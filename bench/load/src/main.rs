//! load BROKER PLAIN ADOPTING REQUEST: drives any broker. The last three are hexadecimal: two Hellos, each a whole
//! frame, and a request that is echoed. Commands come on standard input, as bench/measurer.ts writes them:
//! `MODE CLIENTS SAMPLES GAP_US FILE`; samples are appended to FILE as microseconds, 64-bit floats.
mod client;
mod wire;
use client::Client;
use std::fs::OpenOptions;
use std::io::{stdin, Error, Result, Write};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

const TRANSFER: &str = "adopted-1mib";
const TRANSFER_BYTES: usize = 1 << 20;

struct Command<'a> {
    mode: &'a str,
    clients: usize,
    samples: usize,
    gap: Duration,
    file: &'a str,
}

impl<'a> Command<'a> {
    fn read(line: &'a str) -> Option<Command<'a>> {
        let [mode, clients, samples, gap_us, file] = line.split(' ').collect::<Vec<_>>().try_into().ok()?;
        let gap = Duration::from_micros(gap_us.parse().ok()?);
        Some(Command { mode, clients: clients.parse().ok()?, samples: samples.parse().ok()?, gap, file })
    }

    fn run(&self, client: &Client) -> Result<Vec<Duration>> {
        if self.mode == TRANSFER {
            return client.transfers(TRANSFER_BYTES, self.samples);
        }
        let next = AtomicUsize::new(0);
        let all = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..self.clients).map(|_| scope.spawn(|| self.run_one(client, &next))).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).collect::<Result<Vec<_>>>()
        })?;
        Ok(all.concat())
    }

    fn run_one(&self, client: &Client, next: &AtomicUsize) -> Result<Vec<Duration>> {
        let mut taken = Vec::with_capacity(self.samples / self.clients);
        while next.fetch_add(1, Relaxed) < self.samples {
            if !self.gap.is_zero() {
                std::thread::sleep(self.gap);
            }
            taken.push(client.once(self.mode)?);
        }
        Ok(taken)
    }
}

fn append(file: &str, samples: &[Duration]) -> Result<()> {
    let bytes: Vec<u8> = samples.iter().flat_map(|taken| (taken.as_secs_f64() * 1e6).to_le_bytes()).collect();
    OpenOptions::new().create(true).append(true).open(file)?.write_all(&bytes)
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [broker, plain, adopting, request] = arguments.as_slice() else {
        return Err(Error::other("usage: load BROKER PLAIN ADOPTING REQUEST"));
    };
    let client = Client {
        broker: broker.clone(),
        plain: wire::from_hex(plain),
        adopting: wire::from_hex(adopting),
        request: wire::from_hex(request),
        fallbacks: AtomicUsize::new(0),
    };
    println!("ready");
    for line in stdin().lines() {
        let line = line?;
        let command = Command::read(&line).ok_or_else(|| Error::other(format!("no command: {line}")))?;
        let start = Instant::now();
        let samples = command.run(&client)?;
        let elapsed_us = start.elapsed().as_secs_f64() * 1e6;
        append(command.file, &samples)?;
        println!("done {elapsed_us:.3} {}", client.fallbacks.swap(0, Relaxed));
    }
    Ok(())
}
