//! As much of the protocol as a client needs that is given its Hello whole.
use std::io::{Error, Read, Result};

/// A reply has a few hundred bytes.
const FRAME_BYTES_MAX: usize = 64 * 1024;

/// Reads a frame's body.
pub fn read_frame(from: &mut impl Read) -> Result<Vec<u8>> {
    let mut header = [0u8; 5];
    from.read_exact(&mut header)?;
    let length = u32::from_le_bytes([header[1], header[2], header[3], header[4]]) as usize;
    if header[0] != 1 || length > FRAME_BYTES_MAX {
        return Err(Error::other("no frame"));
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body)?;
    Ok(body)
}

/// The backend's endpoint out of a reply: Frame.payload, HelloReply.negotiated, Negotiated.backend_pipe.
pub fn backend_of(frame: &[u8]) -> Result<String> {
    let found = [4, 1, 3].into_iter().try_fold(frame, field);
    let path = found.ok_or_else(|| Error::other("not negotiated"))?;
    String::from_utf8(path.to_vec()).map_err(Error::other)
}

/// The bytes of a length-delimited field of a protobuf message.
fn field(mut message: &[u8], wanted: u64) -> Option<&[u8]> {
    while !message.is_empty() {
        let (tag, value) = (varint(&mut message)?, varint(&mut message)?);
        match tag & 7 {
            0 => continue,
            2 => {}
            _ => return None,
        }
        let (inner, rest) = message.split_at_checked(value as usize)?;
        if tag >> 3 == wanted {
            return Some(inner);
        }
        message = rest;
    }
    None
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if *byte < 0x80 {
            return Some(value);
        }
    }
    None
}

/// Bytes from hexadecimal digits.
pub fn from_hex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).expect("hex")).collect()
}
