//! `multipart/form-data` (RFC 7578), read part by part from a body that streams by.
//!
//! What is held in memory is bounded whatever a client sends: a chunk of the body, and the headers
//! of one part. Names are read the way browsers write them, see [`disposition`].

pub mod disposition;

use std::pin::Pin;
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::http::{HeaderMap, header};
use bytes::{Buf as _, Bytes, BytesMut};
use futures_util::{Stream, StreamExt as _, stream};
use memchr::memmem::Finder;

use crate::error::{Error, Result};
use disposition::Disposition;

/// Upper limit of a boundary, in characters (RFC 2046).
const MAX_BOUNDARY_CHARS: usize = 70;
/// Upper limit of the headers of one part, in bytes.
const MAX_HEADER_BYTES: usize = 8 * 1024;
/// Upper limit of what stands before the first part, in bytes.
const MAX_PREAMBLE_BYTES: usize = 8 * 1024;
/// Upper limit of the parts of one body.
const MAX_PARTS: usize = 1000;

/// What stands before the bytes of a part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartHead {
    /// The name of the form's field.
    pub name: String,
    /// The name of the file, if the part is one.
    pub file_name: Option<String>,
    /// The declared media type.
    pub content_type: Option<String>,
}

/// Reads the parts of a body.
#[derive(Debug)]
pub struct Multipart {
    body: Pin<Box<BodyDataStream>>,
    buffer: BytesMut,
    /// Finds a line break, `--` and the boundary.
    delimiter: Finder<'static>,
    /// How long the client may send nothing.
    idle: Duration,
    place: Place,
    parts: usize,
}

/// Where in the body the reader is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Preamble,
    /// Behind a delimiter.
    Boundary,
    Part,
    End,
}

/// The boundary that a request declares, if its body is a form of this kind.
///
/// # Errors
///
/// [`Error::Refused`] for such a form without a boundary that can be one.
pub fn boundary(headers: &HeaderMap) -> Result<Option<String>> {
    let declared = headers.get(header::CONTENT_TYPE);
    let declared = declared.and_then(|declared| declared.to_str().ok());
    let (kind, parameters) = declared
        .unwrap_or_default()
        .split_once(';')
        .unwrap_or((declared.unwrap_or_default(), ""));
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return Ok(None);
    }
    let named = |parameter: &str| {
        let (name, value) = parameter.split_once('=')?;
        let value = value.trim();
        let value = value
            .strip_prefix('"')
            .and_then(|value| value.strip_suffix('"'))
            .unwrap_or(value);
        name.trim()
            .eq_ignore_ascii_case("boundary")
            .then(|| value.to_owned())
    };
    let boundary = parameters.split(';').find_map(named).unwrap_or_default();
    let is_boundary = (1..=MAX_BOUNDARY_CHARS).contains(&boundary.len())
        && boundary.bytes().all(|byte| (32..127).contains(&byte));
    if is_boundary {
        Ok(Some(boundary))
    } else {
        Err(broken(
            "its Content-Type has no boundary of 1 to 70 characters",
        ))
    }
}

impl Multipart {
    /// A reader of a body with this boundary. The client may pause for `idle` at most.
    pub fn new(body: Body, boundary: &str, idle: Duration) -> Self {
        let delimiter = format!("\r\n--{boundary}");
        Self {
            body: Box::pin(body.into_data_stream()),
            // The first delimiter may stand at the very beginning.
            buffer: BytesMut::from("\r\n"),
            delimiter: Finder::new(delimiter.as_bytes()).into_owned(),
            idle,
            place: Place::Preamble,
            parts: 0,
        }
    }

    /// The next part; what is left of the one before is passed over. `None` after the last.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] if the body breaks off, pauses for too long, or is not such a form.
    pub async fn next_part(&mut self) -> Result<Option<PartHead>> {
        self.pass_over().await?;
        if self.place == Place::End {
            return Ok(None);
        }
        self.parts += 1;
        if self.parts > MAX_PARTS {
            return Err(broken("it has more than 1000 parts"));
        }
        let head = self.read_headers().await?;
        self.place = Place::Part;
        Ok(Some(head))
    }

    /// The next bytes of the current part; `None` at its end.
    ///
    /// # Errors
    ///
    /// As [`Self::next_part`].
    pub async fn next_chunk(&mut self) -> Result<Option<Bytes>> {
        if self.place != Place::Part {
            return Ok(None);
        }
        loop {
            if let Some(at) = self.delimiter.find(&self.buffer) {
                if at > 0 {
                    return Ok(Some(self.buffer.split_to(at).freeze()));
                }
                self.buffer.advance(self.delimiter.needle().len());
                self.place = Place::Boundary;
                self.read_boundary_end().await?;
                return Ok(None);
            }
            // The end of what is here may be the beginning of a delimiter.
            let sure = self
                .buffer
                .len()
                .saturating_sub(self.delimiter.needle().len() - 1);
            if sure > 0 {
                return Ok(Some(self.buffer.split_to(sure).freeze()));
            }
            self.fill().await?;
        }
    }

    /// The bytes of the current part, as a stream.
    pub fn chunks(&mut self) -> impl Stream<Item = Result<Bytes>> + Send {
        stream::try_unfold(self, |form| async move {
            let chunk = form.next_chunk().await?;
            Ok(chunk.map(|chunk| (chunk, form)))
        })
    }

    /// All of the current part as text; what is not UTF-8 is taken as Latin-1.
    ///
    /// # Errors
    ///
    /// As [`Self::next_part`], and [`Error::TooLarge`] beyond so many bytes.
    pub async fn text(&mut self, max_bytes: usize) -> Result<String> {
        let mut text = BytesMut::new();
        while let Some(chunk) = self.next_chunk().await? {
            if text.len() + chunk.len() > max_bytes {
                return Err(Error::TooLarge("The request body is too large".into()));
            }
            text.extend_from_slice(&chunk);
        }
        Ok(disposition::decode(&text))
    }

    /// Goes on to behind the next delimiter.
    async fn pass_over(&mut self) -> Result<()> {
        if self.place == Place::Preamble {
            let mut passed = 0;
            loop {
                if let Some(at) = self.delimiter.find(&self.buffer) {
                    self.buffer.advance(at + self.delimiter.needle().len());
                    break;
                }
                let sure = self
                    .buffer
                    .len()
                    .saturating_sub(self.delimiter.needle().len());
                self.buffer.advance(sure);
                passed += sure;
                if passed > MAX_PREAMBLE_BYTES {
                    return Err(broken("its first part does not begin"));
                }
                self.fill().await?;
            }
            self.place = Place::Boundary;
            return self.read_boundary_end().await;
        }
        while self.next_chunk().await?.is_some() {}
        Ok(())
    }

    /// Reads what follows a boundary: `--` at the end of the form, a line break before a part.
    async fn read_boundary_end(&mut self) -> Result<()> {
        while self.buffer.len() < 2 {
            self.fill().await?;
        }
        if self.buffer.starts_with(b"--") {
            self.place = Place::End;
            return Ok(());
        }
        // Blanks may stand behind it.
        loop {
            let blanks = self
                .buffer
                .iter()
                .take_while(|byte| matches!(byte, b' ' | b'\t'))
                .count();
            if blanks > MAX_BOUNDARY_CHARS {
                return Err(broken("a boundary has no end"));
            }
            if self.buffer.len() >= blanks + 2 {
                self.buffer.advance(blanks);
                break;
            }
            self.fill().await?;
        }
        if self.buffer.starts_with(b"\r\n") {
            Ok(())
        } else {
            Err(broken("a boundary is not followed by a line break"))
        }
    }

    /// Reads the headers of a part. The line break behind the boundary is still in the buffer, so
    /// that no headers and some end alike.
    async fn read_headers(&mut self) -> Result<PartHead> {
        let end = loop {
            if let Some(end) = memchr::memmem::find(&self.buffer, b"\r\n\r\n") {
                break end;
            }
            if self.buffer.len() > MAX_HEADER_BYTES {
                return Err(broken("the headers of a part are longer than 8 KiB"));
            }
            self.fill().await?;
        };
        if end > MAX_HEADER_BYTES {
            return Err(broken("the headers of a part are longer than 8 KiB"));
        }
        let headers = self.buffer.split_to(end);
        self.buffer.advance(4);
        let mut head = PartHead::default();
        for line in headers.as_ref().split(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let Some(colon) = memchr::memchr(b':', line) else {
                continue;
            };
            let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
            if name.eq_ignore_ascii_case(b"content-disposition") {
                let Disposition { name, file_name } = Disposition::parse(value);
                head.name = name.unwrap_or_default();
                head.file_name = file_name;
            } else if name.eq_ignore_ascii_case(b"content-type") {
                head.content_type = Some(disposition::decode(value));
            }
        }
        Ok(head)
    }

    /// Takes in more of the body.
    async fn fill(&mut self) -> Result<()> {
        let Ok(next) = tokio::time::timeout(self.idle, self.body.next()).await else {
            return Err(broken("nothing of it came for too long"));
        };
        match next {
            Some(Ok(chunk)) => {
                self.buffer.extend_from_slice(&chunk);
                Ok(())
            }
            Some(Err(_)) => Err(broken("it broke off")),
            None => Err(broken("it ends before its last boundary")),
        }
    }
}

fn broken(why: &str) -> Error {
    Error::refused(
        "Bad request",
        format!("The form (multipart/form-data) cannot be read: {why}"),
    )
}

#[cfg(test)]
#[path = "multipart/tests.rs"]
mod tests;
