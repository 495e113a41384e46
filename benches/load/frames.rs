//! Takes apart what a server sends to subscribers, without parsing JSON.

use std::io::BufRead as _;

use crate::wire::{Chunks, Fallible};

/// Something that a subscriber received.
#[derive(Debug, PartialEq, Eq)]
pub enum Received<'a> {
    /// JSON text
    Message(&'a [u8]),
    /// Must be answered with the same bytes
    Ping(&'a [u8]),
    /// The server ends the conversation
    Close,
}

/// The transport's framing. Bytes are looked at where they were received, and only kept when a
/// frame is incomplete.
#[derive(Debug)]
pub enum Framing {
    /// WebSocket
    Ws {
        /// Beginning of an incomplete frame
        rest: Vec<u8>,
    },
    /// Server-sent events
    Sse {
        /// HTTP's own framing
        chunks: Chunks,
        /// Beginning of an incomplete line
        rest: Vec<u8>,
    },
}

impl Framing {
    /// Hands everything that is complete to `sink`.
    pub fn feed(&mut self, bytes: &[u8], sink: &mut impl FnMut(Received<'_>)) -> Fallible<()> {
        match self {
            Self::Ws { rest } if rest.is_empty() => {
                let used = frames(bytes, sink)?;
                rest.extend_from_slice(bytes.get(used..).unwrap_or_default());
            }
            Self::Ws { rest } => {
                rest.extend_from_slice(bytes);
                let used = frames(rest, sink)?;
                rest.drain(..used);
            }
            Self::Sse { chunks, rest } => {
                chunks.feed(bytes, rest)?;
                let used = lines(rest, sink);
                rest.drain(..used);
                if chunks.finished() {
                    sink(Received::Close);
                }
            }
        }
        Ok(())
    }
}

/// WebSocket frames; returns how many bytes were used. Messages in several frames are not put
/// together, since no event is that long.
fn frames(bytes: &[u8], sink: &mut impl FnMut(Received<'_>)) -> Fallible<usize> {
    let mut used = 0;
    while let Some((opcode, payload, length)) = frame(bytes.get(used..).unwrap_or_default())? {
        match opcode {
            1 | 2 => sink(Received::Message(payload)),
            8 => sink(Received::Close),
            9 => sink(Received::Ping(payload)),
            _ => {}
        }
        used += length;
    }
    Ok(used)
}

/// The first frame: its opcode, payload and whole length. Nothing while it is incomplete.
fn frame(bytes: &[u8]) -> Fallible<Option<(u8, &[u8], usize)>> {
    let Some((&[first, second], rest)) = bytes.split_first_chunk() else {
        return Ok(None);
    };
    if second & 0x80 != 0 {
        return Err("the server sent a masked frame".into());
    }
    let (length, payload) = match second {
        126 => match rest.split_first_chunk() {
            Some((&length, payload)) => (usize::from(u16::from_be_bytes(length)), payload),
            None => return Ok(None),
        },
        127 => match rest.split_first_chunk() {
            Some((&length, payload)) => (usize::try_from(u64::from_be_bytes(length))?, payload),
            None => return Ok(None),
        },
        short => (usize::from(short), rest),
    };
    let head = bytes.len() - payload.len();
    Ok(payload
        .get(..length)
        .map(|payload| (first & 0x0F, payload, head + length)))
}

/// Lines of an event stream; returns how many bytes were used.
fn lines(bytes: &[u8], sink: &mut impl FnMut(Received<'_>)) -> usize {
    let mut rest = bytes;
    let mut used = 0;
    loop {
        let line = rest;
        // A slice never fails to be read.
        let length = rest.skip_until(b'\n').unwrap_or_default();
        match line.get(..length) {
            Some([b'd', b'a', b't', b'a', b':', data @ .., b'\n']) => {
                sink(Received::Message(data.trim_ascii()));
            }
            Some([.., b'\n']) => {}
            _ => return used,
        }
        used += length;
    }
}

/// A frame from a client, which must be masked. The mask is zero: it leaves the payload as it is,
/// and protects proxies only, of which there are none here.
pub fn masked(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x80 | opcode];
    match u8::try_from(payload.len()) {
        Ok(length) if length < 0x7E => frame.push(0x80 | length),
        _ => {
            frame.push(0x80 | 0x7E);
            let length = u16::try_from(payload.len()).unwrap_or(u16::MAX);
            frame.extend_from_slice(&length.to_be_bytes());
        }
    }
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(payload);
    frame
}
