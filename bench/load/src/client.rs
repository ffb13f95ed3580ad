//! What is measured: one operation of a client from before its connect to the last byte it wants.
use crate::wire::{backend_of, read_frame};
use std::io::{Error, Read, Result, Write};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

/// Where to connect and what to send; frames are whole.
pub struct Client {
    pub broker: String,
    pub plain: Vec<u8>,
    pub adopting: Vec<u8>,
    pub request: Vec<u8>,
    /// Handoffs that became reconnects.
    pub fallbacks: AtomicUsize,
}

impl Client {
    /// Runs one operation of a mode.
    pub fn once(&self, mode: &str) -> Result<Duration> {
        let start = Instant::now();
        let stream = match mode {
            "hello" => self.negotiate(&self.plain)?.0,
            "reconnect" => {
                let (stream, backend) = self.negotiate(&self.plain)?;
                drop(stream);
                self.ask(UnixStream::connect(backend)?)?
            }
            "handoff" => self.ask(self.adopted_or_reconnected()?)?,
            _ => return Err(Error::other(format!("no mode {mode}"))),
        };
        let taken = start.elapsed();
        drop(stream);
        Ok(taken)
    }

    /// Sends a block of bytes over one adopted connection and reads it back, again and again.
    pub fn transfers(&self, bytes: usize, count: usize) -> Result<Vec<Duration>> {
        let mut stream = self.adopted()?;
        let (mut writer, block) = (stream.try_clone()?, vec![7u8; bytes]);
        let (start, started) = channel::<()>();
        let writing = std::thread::spawn(move || started.iter().try_for_each(|()| writer.write_all(&block)));
        let mut back = vec![0; bytes];
        let mut taken = Vec::with_capacity(count);
        for _ in 0..count {
            let begin = Instant::now();
            start.send(()).map_err(Error::other)?;
            stream.read_exact(&mut back)?;
            taken.push(begin.elapsed());
        }
        drop(start);
        writing.join().expect("the writer ends")?;
        Ok(taken)
    }

    fn negotiate(&self, hello: &[u8]) -> Result<(UnixStream, String)> {
        let mut stream = UnixStream::connect(&self.broker)?;
        stream.write_all(hello)?;
        let backend = backend_of(&read_frame(&mut stream)?)?;
        Ok((stream, backend))
    }

    fn adopted(&self) -> Result<UnixStream> {
        let (mut stream, _) = self.negotiate(&self.adopting)?;
        read_frame(&mut stream)?; // the ready event
        Ok(stream)
    }

    fn adopted_or_reconnected(&self) -> Result<UnixStream> {
        let (mut stream, backend) = self.negotiate(&self.adopting)?;
        if read_frame(&mut stream).is_ok() {
            return Ok(stream);
        }
        drop(stream);
        self.fallbacks.fetch_add(1, Relaxed);
        UnixStream::connect(backend)
    }

    fn ask(&self, mut stream: UnixStream) -> Result<UnixStream> {
        stream.write_all(&self.request)?;
        let mut answer = vec![0; self.request.len()];
        stream.read_exact(&mut answer)?;
        if answer != self.request {
            return Err(Error::other("another answer"));
        }
        Ok(stream)
    }
}
